-- Lock the next loans of a slice in key order. $1: book key, $2: slice, $3: the last loan key before, $4: how many.
SELECT slice, loan_key FROM core.loan_state
WHERE slice = $2 AND book_key = $1 AND loan_key > $3
ORDER BY loan_key
LIMIT $4
FOR UPDATE
