-- Count all that flowed in a minute that is over; what waited stays as it was marked.
-- $1: the minute.
INSERT INTO reporting.pipeline_minute AS m (minute, events, payments, dead_letters, scores)
SELECT $1::timestamptz, count(*), count(*) FILTER (WHERE type_key = 5),
       (SELECT count(*) FROM core.dead_letter WHERE first_seen >= $1 AND first_seen < $1 + interval '1 minute'),
       (SELECT count(*) FROM risk.score WHERE scored_at >= $1 AND scored_at < $1 + interval '1 minute')
FROM core.event WHERE ingested_at >= $1 AND ingested_at < $1 + interval '1 minute'
ON CONFLICT (minute) DO UPDATE
SET events = excluded.events, payments = excluded.payments, dead_letters = excluded.dead_letters,
    scores = greatest(m.scores, excluded.scores)
