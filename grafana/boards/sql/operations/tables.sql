SELECT replace(mart, '_', ' ') AS "Table", age_seconds AS "Age", took_ms / 1000.0 AS "Took", to_char(refreshed_at, 'YYYY-MM-DD HH24:MI:SS') AS "Made at"
FROM marts_now
ORDER BY age_seconds DESC
