SELECT to_char(day, 'DD Mon') AS "day", sum(due) AS "Due", sum(due_collected) AS "Collected in time", sum(cash) AS "All cash"
FROM cash_day_now
WHERE @selection
  AND day > (SELECT business_on - 14 FROM books WHERE @book) AND day <= (SELECT business_on FROM books WHERE @book)
GROUP BY cash_day_now.day ORDER BY cash_day_now.day
