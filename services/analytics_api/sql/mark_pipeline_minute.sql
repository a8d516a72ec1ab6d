-- Count what has flowed in the running minute, and what waits.
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
    scores = greatest(m.scores, excluded.scores), data_age_ms = excluded.data_age_ms,
    outbox_waiting = excluded.outbox_waiting, scores_behind = excluded.scores_behind, restating = excluded.restating,
    deliveries_waiting = excluded.deliveries_waiting
