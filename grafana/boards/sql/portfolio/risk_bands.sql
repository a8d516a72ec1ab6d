SELECT coalesce(sum(loans) FILTER (WHERE risk_band = 'LOW'), 0)::bigint AS "LOW",
       coalesce(sum(loans) FILTER (WHERE risk_band = 'WATCH'), 0)::bigint AS "WATCH",
       coalesce(sum(loans) FILTER (WHERE risk_band = 'HIGH'), 0)::bigint AS "HIGH",
       coalesce(sum(loans) FILTER (WHERE risk_band = 'CRITICAL'), 0)::bigint AS "CRITICAL"
FROM risk_now WHERE @selection
