-- Loans that changed since they were tallied, with the close to fold them at: the last one of their book.
-- A book that loads its history waits until that is done.
-- $1: loans at most.
SELECT s.slice, s.loan_key, s.version, s.book_key, s.currency_key, s.branch_key, s.product_key, l.loan_id, b.book,
       b.business_on - 1 AS close, coalesce(p.settings, '{}') AS product_settings,
       s.quarantine IS NOT NULL AS is_quarantined
FROM core.loan_state s
JOIN core.book b ON b.book_key = s.book_key AND NOT b.replaying
JOIN core.loan l ON l.slice = s.slice AND l.loan_key = s.loan_key
LEFT JOIN core.product p ON p.product_key = s.product_key
LEFT JOIN reporting.loan_tally t ON t.slice = s.slice AND t.loan_key = s.loan_key
WHERE t.version IS NULL
   OR (t.as_of < b.business_on - 1 AND (t.version <> s.version OR s.last_effective_on > t.as_of))
LIMIT $1
