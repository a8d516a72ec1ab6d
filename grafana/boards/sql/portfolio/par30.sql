SELECT par30_principal / nullif(principal, 0) AS "PAR30"
FROM portfolio_days(@part, ${days:sqlstring}::int) ORDER BY business_on
