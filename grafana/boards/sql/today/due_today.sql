SELECT coalesce(sum(due), 0) AS "Due today"
FROM cash_day_now WHERE @selection AND day = (SELECT business_on FROM books WHERE @book)
