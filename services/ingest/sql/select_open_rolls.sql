-- Some slices whose loans wait to be brought to the book's day; those another worker sweeps are passed over. $1: how many at most.
SELECT d.book_key, d.business_on, d.slice
FROM core.day_roll d
WHERE d.swept_at IS NULL
ORDER BY d.book_key, d.slice
LIMIT $1
FOR UPDATE SKIP LOCKED
