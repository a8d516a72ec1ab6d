-- Count what flowed in a minute; what waits is marked while the minute runs.
-- $1: the minute; $2: now.
INSERT INTO reporting.pipeline_minute AS m (minute, events, payments, dead_letters, scores, data_age_ms, outbox_waiting,
    scores_behind, restating, deliveries_waiting)
SELECT $1::timestamptz, taken.events, taken.payments,
       (SELECT count(*) FROM core.dead_letter WHERE first_seen >= $1 AND first_seen < $1 + interval '1 minute'),
       scored.fresh,
       (SELECT (extract(epoch FROM $2::timestamptz - min(caught_up_at)) * 1000)::bigint FROM core.stream_position
        WHERE topic = 'loan.events.v1'),
       (SELECT count(*) FROM core.outbox), scored.behind, (SELECT count(*) FROM core.restate),
       (SELECT count(*) FROM risk.delivery WHERE delivered_at IS NULL AND dead_at IS NULL)
FROM (
    SELECT count(*) AS events, count(*) FILTER (WHERE type_key = 5) AS payments
    FROM core.event WHERE ingested_at >= $1 AND ingested_at < $1 + interval '1 minute'
) taken
CROSS JOIN (
    SELECT count(*) FILTER (WHERE r.scored_at >= $1 AND r.scored_at < $1 + interval '1 minute') AS fresh,
           count(*) FILTER (WHERE s.status = 1 AND coalesce(r.state_version, 0) < s.version) AS behind
    FROM core.loan_state s LEFT JOIN risk.score r USING (slice, loan_key)
) scored
ON CONFLICT (minute) DO UPDATE
SET events = excluded.events, payments = excluded.payments, dead_letters = excluded.dead_letters,
    scores = greatest(m.scores, excluded.scores),
    data_age_ms = CASE WHEN $2 < m.minute + interval '1 minute' THEN excluded.data_age_ms ELSE m.data_age_ms END,
    outbox_waiting = CASE WHEN $2 < m.minute + interval '1 minute' THEN excluded.outbox_waiting ELSE m.outbox_waiting END,
    scores_behind = CASE WHEN $2 < m.minute + interval '1 minute' THEN excluded.scores_behind ELSE m.scores_behind END,
    restating = CASE WHEN $2 < m.minute + interval '1 minute' THEN excluded.restating ELSE m.restating END,
    deliveries_waiting = CASE WHEN $2 < m.minute + interval '1 minute' THEN excluded.deliveries_waiting
                              ELSE m.deliveries_waiting END
