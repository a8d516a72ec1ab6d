SELECT par90_principal / nullif(principal, 0) AS "PAR90"
FROM portfolio_days(@part, ${days:sqlstring}::int) ORDER BY business_on
