SELECT coalesce(sum(amount), 0) AS "Unapplied cash" FROM unapplied_now WHERE @selection
