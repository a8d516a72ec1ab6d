SELECT coalesce(sum(loans), 0)::bigint AS "High-risk loans" FROM risk_now WHERE @selection AND band_order >= 2
