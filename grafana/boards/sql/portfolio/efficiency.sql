SELECT sum(due_collected) / nullif(sum(due), 0) AS "Efficiency"
FROM cash_day_now
WHERE @selection AND closed AND day >= (SELECT business_on - 7 FROM books WHERE @book)
