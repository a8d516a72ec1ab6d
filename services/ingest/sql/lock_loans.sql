-- Lock the states of loans in key order. $1: slices, $2: loan keys.
SELECT s.slice, s.loan_key, l.loan_id, s.version, s.as_of, s.quarantine IS NOT NULL AS quarantined,
       s.book_key, s.currency_key, s.branch_key, s.product_key, s.bucket, s.status,
       s.disbursed_minor, s.paid_minor, s.principal_outstanding_minor, s.total_outstanding_minor,
       s.overdue_minor, s.overdue_principal_minor, s.estimated, s.charged_off_on,
       s.past_due_on
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
ORDER BY s.slice, s.loan_key
FOR UPDATE OF s
