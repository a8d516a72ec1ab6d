SELECT sum(principal) AS "Outstanding principal"
FROM portfolio_day
WHERE @selection AND business_on > (SELECT business_on - ${days:sqlstring}::int FROM books WHERE @book)
GROUP BY business_on ORDER BY business_on
