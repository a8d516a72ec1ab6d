-- Note when a table was made, and how long that took.
-- $1: table; $2: when; $3: milliseconds.
INSERT INTO reporting.mart_refresh (mart, refreshed_at, took_ms) VALUES ($1, $2, $3)
ON CONFLICT (mart) DO UPDATE SET refreshed_at = excluded.refreshed_at, took_ms = excluded.took_ms
