WITH days AS MATERIALIZED (
    SELECT branch, live, loans, principal, par30_principal / nullif(principal, 0) AS par30
    FROM portfolio_days(@part, 8, true)
    WHERE live OR business_on = (SELECT business_on - 7 FROM books WHERE @book)
),
cash AS MATERIALIZED (
    SELECT branch, sum(cash) / nullif(sum(due), 0) AS efficiency FROM cash_days(@part, 7, 1, true) GROUP BY branch
),
risk AS MATERIALIZED (SELECT branch, sum(loans) AS loans FROM risk_now WHERE @selection AND band_order >= 2 GROUP BY branch)
SELECT n.branch AS "Branch", b.region AS "Region", n.loans AS "Loans", n.principal AS "Outstanding",
       n.par30 AS "PAR30", n.par30 - p.par30 AS "7 days", c.efficiency AS "Efficiency",
       coalesce(r.loans, 0)::bigint AS "High risk"
FROM days n
LEFT JOIN days p ON p.branch = n.branch AND NOT p.live
LEFT JOIN cash c ON c.branch = n.branch
LEFT JOIN risk r ON r.branch = n.branch
LEFT JOIN branches b ON @book AND b.branch = n.branch
WHERE n.live
ORDER BY n.par30 DESC NULLS LAST, n.principal DESC
