SELECT principal AS "Outstanding principal" FROM portfolio_days(@part, ${days:sqlstring}::int) ORDER BY business_on
