-- Where a loan is kept; asked first, since a statement that names the slice is planned and run in one part of sixteen.
-- $1: book key; $2: loan id.
SELECT slice, loan_key FROM core.loan WHERE book_key = $1 AND loan_id = $2
