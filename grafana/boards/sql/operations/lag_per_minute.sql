SELECT minute AS "time", data_age_ms / 1000.0 AS "Data age" FROM pipeline WHERE $__timeFilter(minute)
ORDER BY minute
