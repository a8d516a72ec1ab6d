SELECT minute AS "time", scores_behind AS "To score", restating AS "To restate", outbox_waiting AS "Notices",
       deliveries_waiting AS "Alerts"
FROM pipeline WHERE $__timeFilter(minute)
ORDER BY minute
