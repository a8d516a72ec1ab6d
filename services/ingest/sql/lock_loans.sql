-- Lock the states of loans in key order; the numbers as locked.py reads them, days as ordinals, 0 for none.
-- $1: slices, $2: loan keys.
SELECT s.slice, s.loan_key, l.loan_id, s.named_ids,
       array_send(ARRAY[
           s.slice, s.loan_key, s.version, s.as_of - date '0001-01-01' + 1, (s.quarantine IS NOT NULL)::integer,
           s.is_plain::integer, s.fold_version, s.book_key,
           s.currency_key, s.branch_key, s.product_key, s.bucket, s.status, (s.charged_off_on IS NOT NULL)::integer, s.estimated::integer,
           s.disbursed_minor, s.scheduled_minor, s.paid_minor, s.principal_outstanding_minor,
           s.total_outstanding_minor, s.overdue_minor, s.overdue_principal_minor, s.overpaid_minor,
           s.last_payment_minor, coalesce(l.term_days, -1), coalesce(s.past_due_on - date '0001-01-01' + 1, 0),
           coalesce(s.cohort_on - date '0001-01-01' + 1, 0), coalesce(s.last_payment_on - date '0001-01-01' + 1, 0),
           coalesce(s.closed_on - date '0001-01-01' + 1, 0),
           cardinality(s.days_late), coalesce(s.last_effective_on - date '0001-01-01' + 1, 0),
           coalesce(s.last_business_on - date '0001-01-01' + 1, 0), s.last_sequence
       ]::bigint[]) || timestamptz_send(coalesce(s.last_recorded_at, '-infinity')) AS numbers,
       CASE WHEN s.is_plain THEN array_send(s.days_late) END AS days_late, p.packed
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
LEFT JOIN core.loan_plan p ON p.slice = s.slice AND p.loan_key = s.loan_key AND s.is_plain
ORDER BY s.slice, s.loan_key
FOR UPDATE OF s
