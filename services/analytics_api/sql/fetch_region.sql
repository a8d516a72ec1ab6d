-- The region of a branch.
-- $1: book key; $2: branch.
SELECT region FROM core.branch WHERE book_key = $1 AND branch = $2
