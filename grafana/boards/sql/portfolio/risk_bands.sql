SELECT n.risk_band AS "Band", coalesce(sum(r.loans), 0)::bigint AS "Loans"
FROM (VALUES ('LOW', 0), ('WATCH', 1), ('HIGH', 2), ('CRITICAL', 3)) n (risk_band, place)
LEFT JOIN (SELECT risk_band, loans FROM risk_now WHERE @selection) r USING (risk_band)
GROUP BY n.risk_band, n.place ORDER BY n.place
