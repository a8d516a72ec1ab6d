-- When each table of the refresh was last made.
SELECT mart, refreshed_at, took_ms, age_seconds FROM reporting.marts_now ORDER BY mart
