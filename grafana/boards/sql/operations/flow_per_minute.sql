SELECT minute AS "time", events AS "Events", scores AS "Scores", dead_letters AS "Dead letters"
FROM pipeline WHERE $__timeFilter(minute)
ORDER BY minute
