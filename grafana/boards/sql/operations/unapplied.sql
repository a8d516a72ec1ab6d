SELECT coalesce(sum(amount), 0) AS "Unapplied" FROM unapplied_now WHERE @book AND currency = ${currency:sqlstring}
