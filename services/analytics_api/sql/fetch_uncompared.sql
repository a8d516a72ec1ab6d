-- Loans with a statement that cannot be compared, since our own fold of them failed.
-- $1: book key; $2: loans.
SELECT l.loan_id, s.quarantine
FROM core.loan_state s
JOIN reporting.statement st USING (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
WHERE s.quarantine IS NOT NULL AND s.book_key = $1
ORDER BY l.loan_id
LIMIT $2
