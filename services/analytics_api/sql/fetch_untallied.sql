-- Loans that changed since they were tallied, with the close to fold them at: the last one of their book.
-- A book that loads its history waits until that is done. Most of the time no loan waits: what is told of one is
-- looked up for those alone.
-- $1: loans at most.
SELECT s.slice, s.loan_key, s.version, s.book_key, s.currency_key, s.branch_key, s.product_key, l.loan_id, s.book,
       s.close, coalesce(p.settings, '{}') AS product_settings, s.quarantine IS NOT NULL AS is_quarantined
FROM (
    SELECT n.slice, n.loan_key, n.version, n.book_key, n.currency_key, n.branch_key, n.product_key, n.quarantine,
           b.book, b.business_on - 1 AS close
    FROM core.loan_state n
    JOIN core.book b ON b.book_key = n.book_key AND NOT b.replaying
    LEFT JOIN reporting.loan_tally t ON t.slice = n.slice AND t.loan_key = n.loan_key
    WHERE t.version IS NULL
       OR (t.as_of < b.business_on - 1 AND (t.version <> n.version OR n.last_effective_on > t.as_of))
    LIMIT $1
) s
JOIN core.loan l ON l.slice = s.slice AND l.loan_key = s.loan_key
LEFT JOIN core.product p ON p.product_key = s.product_key
