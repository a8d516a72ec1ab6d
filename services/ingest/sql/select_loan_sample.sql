-- Some loans of a slice: keys are hashes, so those behind a place drawn by chance are a fair sample.
-- $1: book key, $2: slice, $3: the place, $4: how many.
SELECT slice, loan_key
FROM (
    (SELECT slice, loan_key, 0 AS turn FROM core.loan_state
     WHERE slice = $2 AND book_key = $1 AND loan_key >= $3 ORDER BY loan_key LIMIT $4)
    UNION ALL
    (SELECT slice, loan_key, 1 FROM core.loan_state
     WHERE slice = $2 AND book_key = $1 AND loan_key < $3 ORDER BY loan_key LIMIT $4)
) drawn
ORDER BY turn, loan_key
LIMIT $4
