-- Loans whose fold failed. $1: book or null.
SELECT b.book, l.loan_id, s.slice, s.loan_key, s.quarantine AS reason, s.changed_at,
       (SELECT count(*) FROM core.event e WHERE e.slice = s.slice AND e.loan_key = s.loan_key) AS events
FROM core.loan_state s
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b ON b.book_key = s.book_key
WHERE s.quarantine IS NOT NULL AND ($1::text IS NULL OR b.book = $1)
ORDER BY b.book, s.slice, s.loan_key
