SELECT coalesce(sum(loans), 0)::bigint AS "Restating" FROM restating WHERE @book
