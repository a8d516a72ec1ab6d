SELECT alerts_waiting(@places) AS "Not yet acknowledged"
