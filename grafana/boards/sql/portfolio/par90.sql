SELECT sum(par90_principal) / nullif(sum(principal), 0) AS "PAR90"
FROM portfolio_day
WHERE @selection AND business_on > (SELECT business_on - ${days:sqlstring}::int FROM books WHERE @book)
GROUP BY business_on ORDER BY business_on
