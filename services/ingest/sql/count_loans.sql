-- Loans of a book, counted no further than a limit. $1: book key, $2: the limit.
SELECT count(*) FROM (SELECT FROM core.loan_state WHERE book_key = $1 LIMIT $2) l
