-- Lock the states of a slice's loans in key order, with what the short cut needs of plain ones; days as ordinals, 0 for none.
-- $1: slice, $2: loan keys.
SELECT s.slice, s.loan_key, l.loan_id, s.version, s.as_of, s.quarantine IS NOT NULL AS quarantined,
       s.book_key, s.currency_key, s.branch_key, s.product_key, s.bucket, s.status,
       s.disbursed_minor, s.paid_minor, s.principal_outstanding_minor, s.total_outstanding_minor,
       s.overdue_minor, s.overdue_principal_minor, s.estimated, s.charged_off_on, s.past_due_on, s.is_plain,
       s.fold_version, s.last_effective_on, s.last_business_on, s.last_sequence, s.last_recorded_at, s.named_ids,
       s.scheduled_minor, s.overpaid_minor, s.last_payment_minor, coalesce(l.term_days, -1) AS term_days,
       s.as_of - date '0001-01-01' + 1 AS as_of_day,
       coalesce(s.past_due_on - date '0001-01-01' + 1, 0) AS past_due_day,
       coalesce(s.cohort_on - date '0001-01-01' + 1, 0) AS disbursed_day,
       coalesce(s.last_payment_on - date '0001-01-01' + 1, 0) AS last_payment_day,
       coalesce(s.closed_on - date '0001-01-01' + 1, 0) AS closed_day,
       cardinality(s.days_late) AS met, array_send(s.days_late) AS days_late, p.packed
FROM core.loan_state s
JOIN core.loan l ON l.slice = $1 AND l.loan_key = s.loan_key
LEFT JOIN core.loan_plan p ON p.slice = $1 AND p.loan_key = s.loan_key AND s.is_plain
WHERE s.slice = $1 AND s.loan_key = ANY ($2::bigint[])
ORDER BY s.loan_key
FOR UPDATE OF s
