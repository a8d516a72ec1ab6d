-- Lock loans whose state changes by itself by the book's day, in key order; those in another's hands roll themselves.
-- $1: book key, $2: slices, $3: the book's day, $4: how many at most.
SELECT s.slice, s.loan_key, l.loan_id, s.version, s.as_of, s.quarantine IS NOT NULL AS quarantined,
       s.book_key, s.currency_key, s.branch_key, s.product_key, s.bucket, s.status,
       s.disbursed_minor, s.paid_minor, s.principal_outstanding_minor, s.total_outstanding_minor,
       s.overdue_minor, s.overdue_principal_minor, s.estimated, s.charged_off_on,
       s.past_due_on
FROM core.loan_state s
JOIN core.loan l USING (slice, loan_key)
WHERE s.slice = ANY ($2::smallint[]) AND s.book_key = $1 AND s.as_of < $3 AND s.next_boundary_on <= $3
ORDER BY s.slice, s.loan_key
LIMIT $4
FOR UPDATE OF s SKIP LOCKED
