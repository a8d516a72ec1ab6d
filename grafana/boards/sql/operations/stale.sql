SELECT coalesce(sum(loans), 0)::bigint AS "Stale loans" FROM stale_now WHERE @book
