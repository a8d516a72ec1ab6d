-- Be the only refresh of this database for the length of the transaction; false: another one is at it.
SELECT pg_try_advisory_xact_lock(7205002) AS claimed
