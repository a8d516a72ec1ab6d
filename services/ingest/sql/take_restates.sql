-- Lock loans with days to tell anew, in key order, each with its oldest such day; others' loans are passed over.
-- $1: how many at most.
SELECT r.slice, r.loan_key, r.known_on, l.loan_id, l.book_key
FROM core.restate r
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
WHERE NOT EXISTS (
    SELECT 1 FROM core.restate older
    WHERE older.slice = r.slice AND older.loan_key = r.loan_key AND older.known_on < r.known_on
)
ORDER BY r.slice, r.loan_key
LIMIT $1
FOR UPDATE OF s SKIP LOCKED
