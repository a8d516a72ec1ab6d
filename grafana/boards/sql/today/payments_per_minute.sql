SELECT minute AS "time", sum(payments)::bigint AS "Payments"
FROM cash_minute_now
WHERE @branches AND $__timeFilter(minute)
GROUP BY minute ORDER BY minute
