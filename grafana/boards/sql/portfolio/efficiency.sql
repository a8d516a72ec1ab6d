SELECT sum(cash) / nullif(sum(due), 0) AS "Efficiency"
FROM cash_day_now
WHERE @selection AND day >= (SELECT business_on - 7 FROM books WHERE @book)
  AND day < (SELECT business_on FROM books WHERE @book)
