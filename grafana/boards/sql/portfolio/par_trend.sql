SELECT (extract(epoch FROM business_on) * 1000)::bigint AS "day",
       par30_principal / nullif(principal, 0) AS "PAR30", par60_principal / nullif(principal, 0) AS "PAR60",
       par90_principal / nullif(principal, 0) AS "PAR90",
       CASE WHEN restated_known_on IS NOT NULL THEN par30_principal / nullif(principal, 0) END AS "Told anew"
FROM portfolio_days(@part, ${days:sqlstring}::int) ORDER BY business_on
