SELECT to_char(business_on, 'YYYY-MM-DD') || CASE WHEN live THEN ', running' ELSE '' END AS "Day", sum(loans)::bigint AS "Loans",
       sum(principal) AS "Outstanding", sum(overdue) AS "Overdue", sum(par30_principal) / nullif(sum(principal), 0) AS "PAR30",
       CASE WHEN bool_or(restated) THEN 'by events of ' || to_char(max(restated_known_on), 'YYYY-MM-DD') END AS "Told anew"
FROM portfolio_day
WHERE @selection AND business_on > (SELECT business_on - ${days:sqlstring}::int FROM books WHERE @book)
GROUP BY business_on, live ORDER BY business_on DESC
