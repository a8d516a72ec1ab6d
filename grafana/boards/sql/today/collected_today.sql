SELECT coalesce(sum(due_collected), 0) AS "Collected of it"
FROM cash_day_now WHERE @selection AND day = (SELECT business_on FROM books WHERE @book)
