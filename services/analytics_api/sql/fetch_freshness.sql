-- How far each topic has been read, and how far the business day has rolled.
-- $1: book, or null for all.
SELECT book, business_on, day_state, replaying, topic, partitions, paused, caught_up_at, data_age_seconds,
       outbox_waiting, restating
FROM reporting.freshness
WHERE $1::text IS NULL OR book = $1
ORDER BY book, topic
