-- What is under way in a book: loans whose past is to be told anew, and slices that are being swept. $1: book key.
SELECT r.slice, r.loan_key
FROM core.restate r
JOIN core.loan_state s USING (slice, loan_key)
WHERE s.book_key = $1
UNION ALL
SELECT DISTINCT slice, NULL::bigint FROM core.day_roll WHERE book_key = $1 AND swept_at IS NULL
