SELECT minute AS "time", sum(amount) AS "Cash taken in"
FROM cash_minute_now
WHERE @branches AND $__timeFilter(minute)
GROUP BY minute ORDER BY minute
