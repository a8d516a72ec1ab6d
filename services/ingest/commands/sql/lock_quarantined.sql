-- Lock the next loans of a book whose fold failed, in key order. $1: book key, $2, $3: slice and loan key before, $4: how many.
SELECT slice, loan_key FROM core.loan_state
WHERE book_key = $1 AND (slice, loan_key) > ($2::smallint, $3::bigint) AND quarantine IS NOT NULL
ORDER BY slice, loan_key
LIMIT $4
FOR UPDATE
