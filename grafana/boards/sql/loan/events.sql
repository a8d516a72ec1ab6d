SELECT to_char(effective_on, 'YYYY-MM-DD') AS "Effective", type AS "Event", amount AS "Amount",
       CASE WHEN is_copy THEN 'copy' WHEN unapplied_reason IS NOT NULL THEN replace(unapplied_reason, '_', ' ')
            ELSE 'counted' END AS "Counts",
       to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS "Recorded",
       to_char(known_on, 'YYYY-MM-DD') AS "Known on", event_id AS "Event id"
FROM loan_events WHERE @loan ORDER BY effective_on DESC, recorded_at DESC LIMIT 200
