-- Loans of which a part is missing: a state or a loan row without the other, events without either. $1: book key.
SELECT 'loan_state' AS missing, l.slice, l.loan_key, l.loan_id
FROM core.loan l LEFT JOIN core.loan_state s USING (slice, loan_key)
WHERE l.book_key = $1 AND s.loan_key IS NULL
UNION ALL
SELECT 'loan', s.slice, s.loan_key, NULL
FROM core.loan_state s LEFT JOIN core.loan l USING (slice, loan_key)
WHERE s.book_key = $1 AND l.loan_key IS NULL
UNION ALL
SELECT 'event', s.slice, s.loan_key, NULL
FROM core.loan_state s
WHERE s.book_key = $1
  AND NOT EXISTS (SELECT 1 FROM core.event e WHERE e.slice = s.slice AND e.loan_key = s.loan_key)
