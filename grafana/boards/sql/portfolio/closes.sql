SELECT to_char(business_on, 'YYYY-MM-DD') || CASE WHEN live THEN ', running' ELSE '' END AS "Day", loans AS "Loans",
       principal AS "Outstanding", overdue AS "Overdue", par30_principal / nullif(principal, 0) AS "PAR30",
       'by events of ' || to_char(restated_known_on, 'YYYY-MM-DD') AS "Told anew"
FROM portfolio_days(@part, ${days:sqlstring}::int) ORDER BY business_on DESC
