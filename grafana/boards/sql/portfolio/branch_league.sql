WITH today AS (SELECT business_on FROM books WHERE @book),
past AS (
    SELECT branch, sum(par30_principal) / nullif(sum(principal), 0) AS par30
    FROM portfolio_day WHERE @selection AND NOT live AND business_on = (SELECT business_on - 7 FROM today)
    GROUP BY branch
),
cash AS (
    SELECT branch, sum(cash) / nullif(sum(due), 0) AS efficiency
    FROM cash_day_now
    WHERE @selection AND day >= (SELECT business_on - 7 FROM today) AND day < (SELECT business_on FROM today)
    GROUP BY branch
),
risk AS (SELECT branch, sum(loans) AS loans FROM risk_now WHERE @selection AND band_order >= 2 GROUP BY branch),
branch AS (
    SELECT branch, max(region) AS region, sum(loans) AS loans, sum(principal) AS principal,
           sum(par30_principal) / nullif(sum(principal), 0) AS par30
    FROM branch_now WHERE @selection GROUP BY branch
)
SELECT branch AS "Branch", b.region AS "Region", b.loans::bigint AS "Loans", b.principal AS "Outstanding",
       b.par30 AS "PAR30", b.par30 - p.par30 AS "7 days", c.efficiency AS "Efficiency",
       coalesce(r.loans, 0)::bigint AS "High risk"
FROM branch b
LEFT JOIN past p USING (branch)
LEFT JOIN cash c USING (branch)
LEFT JOIN risk r USING (branch)
ORDER BY b.par30 DESC NULLS LAST, b.principal DESC
