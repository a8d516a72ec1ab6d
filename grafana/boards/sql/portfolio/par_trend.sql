SELECT (extract(epoch FROM business_on) * 1000)::bigint AS "day",
       sum(par30_principal) / nullif(sum(principal), 0) AS "PAR30",
       sum(par60_principal) / nullif(sum(principal), 0) AS "PAR60",
       sum(par90_principal) / nullif(sum(principal), 0) AS "PAR90",
       CASE WHEN bool_or(restated) THEN sum(par30_principal) / nullif(sum(principal), 0) END AS "Told anew"
FROM portfolio_day
WHERE @selection AND business_on > (SELECT business_on - ${days:sqlstring}::int FROM books WHERE @book)
GROUP BY business_on ORDER BY business_on
