-- The outcome of a verification. $1: run, $2: book key or null for the streams, $3: when it started,
-- $4: every loan, $5: loans, $6: differences, $7: details.
INSERT INTO core.verification (run_id, book_key, started_at, finished_at, is_complete, loans, differences, details)
VALUES ($1, $2, $3, clock_timestamp(), $4, $5, $6, $7::text::jsonb)
