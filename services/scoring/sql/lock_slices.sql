-- One scorer a slice at a time, until the transaction ends: a score never meets a newer one, nor an alert a stale one.
-- $1 slices, in order.
SELECT pg_advisory_xact_lock(7205010, slice) FROM unnest($1::integer[]) AS slice
