SELECT principal AS "Outstanding principal" FROM portfolio_days(@part, 30) ORDER BY business_on
