-- Plain loans of a slice as the tables hold them, their numbers as one value: days as ordinals, 0 for none.
-- $1: slice, $2: loan keys, $3: the running day.
SELECT loan.*
FROM unnest($2::bigint[]) AS wanted (loan_key)
CROSS JOIN LATERAL (
    SELECT s.slice, s.loan_key, s.as_of, s.version, s.fold_version,
           array_send(ARRAY[
               s.currency_key, s.branch_key, s.product_key, s.officer_key, s.unapplied_minor,
               coalesce(s.last_effective_on - date '0001-01-01' + 1, 0), coalesce(s.last_business_on - date '0001-01-01' + 1, 0),
               s.last_sequence, s.is_plain::integer, s.unapplied, s.status, s.bucket, s.estimated::integer,
               s.first_payment_default::integer, s.disbursed_minor, s.scheduled_minor, s.principal_outstanding_minor,
               s.total_outstanding_minor, s.overdue_minor, s.overdue_principal_minor, s.due_to_date_minor,
               s.paid_minor, s.overpaid_minor, s.written_off_minor, s.recovered_minor, s.next_due_minor,
               s.last_payment_minor, coalesce(s.cohort_on - date '0001-01-01' + 1, 0),
               coalesce(s.first_due_on - date '0001-01-01' + 1, 0), coalesce(s.past_due_on - date '0001-01-01' + 1, 0),
               coalesce(s.next_due_on - date '0001-01-01' + 1, 0), coalesce(s.next_boundary_on - date '0001-01-01' + 1, 0),
               coalesce(s.last_payment_on - date '0001-01-01' + 1, 0), coalesce(s.closed_on - date '0001-01-01' + 1, 0),
               coalesce(s.charged_off_on - date '0001-01-01' + 1, 0), coalesce(s.restructured_on - date '0001-01-01' + 1, 0),
               s.missed_12m, s.on_time_streak, s.decided, s.days_late_sum, s.max_dpd, s.returned_payments
           ]::bigint[]) || timestamptz_send(coalesce(s.last_recorded_at, '-infinity')) AS numbers,
           s.recent_days_late, s.days_late, s.named_ids, l.borrower_id, l.disbursed_on, l.annual_rate_bps, l.term_days,
           p.schedule_version, p.due_on, p.kind, p.principal_due, p.interest_due, p.fee_due, p.penalty_due, p.waived, l.packed
    FROM core.loan_state s
    JOIN core.loan l ON l.slice = $1 AND l.loan_key = s.loan_key
    JOIN core.loan_plan p ON p.slice = $1 AND p.loan_key = s.loan_key
    WHERE s.slice = $1 AND s.loan_key = wanted.loan_key AND s.is_plain AND s.as_of <= $3 AND s.quarantine IS NULL
      AND NOT EXISTS (SELECT FROM core.unapplied u WHERE u.slice = $1 AND u.loan_key = s.loan_key)
    OFFSET 0                                        -- or the planner reads whole tables for so many loans
) loan
