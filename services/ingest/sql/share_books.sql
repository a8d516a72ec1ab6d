-- Keep every book's business day from flipping until this transaction ends. $1: lock class.
SELECT pg_advisory_xact_lock_shared($1, book_key) FROM core.book ORDER BY book_key
