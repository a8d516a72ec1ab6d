SELECT coalesce(sum(amount), 0) AS "Returned today" FROM returned_today WHERE @selection
