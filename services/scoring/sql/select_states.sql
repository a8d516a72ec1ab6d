-- The states of some loans, with their book, their plan's outline and the scores that stand; the numbers as reading.py
-- reads them, days as ordinals, 0 for none. A state holds until the day before its next boundary, and no longer than
-- the book has come.
-- $1 slices, $2 loan keys.
SELECT array_send(ARRAY[
           s.loan_key, s.book_key, s.branch_key, s.version, s.status,
           greatest(s.as_of, least(b.business_on, s.next_boundary_on - 1)) - date '0001-01-01' + 1,
           (s.charged_off_on IS NOT NULL)::integer,
           (b.replaying OR (w.book_key IS NOT NULL AND w.caught_up_at IS NULL))::integer,
           coalesce(cardinality(p.due_on), 0),
           coalesce(p.due_on[1] - date '0001-01-01' + 1, 0),
           coalesce(p.due_on[cardinality(p.due_on)] - date '0001-01-01' + 1, 0),
           coalesce(s.cohort_on - date '0001-01-01' + 1, 0),
           coalesce(s.past_due_on - date '0001-01-01' + 1, 0),
           coalesce(s.last_payment_on - date '0001-01-01' + 1, 0),
           coalesce(s.restructured_on - date '0001-01-01' + 1, 0),
           s.scheduled_minor, s.total_outstanding_minor, s.principal_outstanding_minor, s.overdue_minor,
           s.overdue_principal_minor, s.on_time_streak, s.max_dpd, s.returned_payments,
           (r.loan_key IS NOT NULL)::integer, coalesce(r.state_version, 0),
           coalesce(r.as_of - date '0001-01-01' + 1, 0), coalesce((r.basis = 'rule')::integer, 0),
           coalesce(r.risk_score, 0), coalesce(r.band, 0), coalesce(r.recorded_on - date '0001-01-01' + 1, 0)
       ]::bigint[]) || array_send(ARRAY[
           coalesce(l.term_days, p.due_on[cardinality(p.due_on)] - l.disbursed_on, 'NaN'::float8),
           coalesce((s.recent_days_late[1] + coalesce(s.recent_days_late[2], 0) + coalesce(s.recent_days_late[3], 0))::float8
                        / cardinality(s.recent_days_late), 'NaN'),
           coalesce(r.recorded_probability, 'NaN')
       ]::float8[]) AS numbers,
       coalesce(r.model, '') AS model, coalesce(r.contributions::text, '{}') AS contributions
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b ON b.book_key = s.book_key
LEFT JOIN core.loan_plan p ON p.slice = s.slice AND p.loan_key = s.loan_key
LEFT JOIN risk.watch w ON w.book_key = s.book_key
LEFT JOIN risk.score r ON r.slice = s.slice AND r.loan_key = s.loan_key
