-- Loans of a book that other code has folded. $1: book key, $2: this fold version.
SELECT count(*) FROM core.loan_state WHERE book_key = $1 AND fold_version <> $2
