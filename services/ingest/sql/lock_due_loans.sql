-- Lock loans whose state changes by itself by the book's day, in key order; those in another's hands roll themselves.
-- $1: book key, $2: slices, $3: the book's day, $4: how many at most.
SELECT s.slice, s.loan_key
FROM core.loan_state s
WHERE s.slice = ANY ($2::smallint[]) AND s.book_key = $1 AND s.as_of < $3 AND s.next_boundary_on <= $3
ORDER BY s.slice, s.loan_key
LIMIT $4
FOR UPDATE OF s SKIP LOCKED
