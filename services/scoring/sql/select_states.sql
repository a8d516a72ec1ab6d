-- The states of some loans of a slice, with their book, their plan's outline and the scores that stand; days as
-- numbers since 1970. A state holds until the day before its next boundary, and no longer than the book has come.
-- $1 slice, $2 loan keys.
SELECT
    s.loan_key,
    s.book_key,
    s.branch_key,
    s.version,
    s.status,
    greatest(s.as_of, least(b.business_on, s.next_boundary_on - 1)) - date 'epoch' AS as_of,
    s.charged_off_on IS NOT NULL AS charged_off,
    b.replaying OR (w.book_key IS NOT NULL AND w.caught_up_at IS NULL) AS silent,
    coalesce(l.term_days, p.due_on[cardinality(p.due_on)] - l.disbursed_on) AS term_days,
    coalesce(cardinality(p.due_on), 0) AS installments,
    p.due_on[1] - date 'epoch' AS first_due_on,
    p.due_on[cardinality(p.due_on)] - date 'epoch' AS last_due_on,
    s.cohort_on - date 'epoch' AS cohort_on,
    s.past_due_on - date 'epoch' AS past_due_on,
    s.last_payment_on - date 'epoch' AS last_payment_on,
    s.restructured_on - date 'epoch' AS restructured_on,
    s.scheduled_minor AS scheduled,
    s.total_outstanding_minor AS total_outstanding,
    s.principal_outstanding_minor AS principal_outstanding,
    s.overdue_minor AS overdue,
    s.overdue_principal_minor AS overdue_principal,
    s.on_time_streak,
    s.max_dpd,
    s.returned_payments,
    (SELECT avg(days_late)::float8 FROM unnest(s.recent_days_late) days_late) AS mean_days_late,
    r.loan_key IS NOT NULL AS previous_exists,
    coalesce(r.state_version, 0) AS previous_state_version,
    r.as_of - date 'epoch' AS previous_as_of,
    coalesce(r.model, '') AS previous_model,
    coalesce(r.basis = 'rule', false) AS previous_by_rule,
    coalesce(r.risk_score, 0) AS previous_risk_score,
    coalesce(r.band, 0) AS previous_band,
    coalesce(r.contributions::text, '{}') AS previous_contributions,
    r.recorded_probability AS previous_recorded_probability,
    r.recorded_on - date 'epoch' AS previous_recorded_on
FROM core.loan_state s
JOIN core.book b ON b.book_key = s.book_key
JOIN core.loan l ON l.slice = s.slice AND l.loan_key = s.loan_key
LEFT JOIN core.loan_plan p ON p.slice = s.slice AND p.loan_key = s.loan_key
LEFT JOIN risk.watch w ON w.book_key = s.book_key
LEFT JOIN risk.score r ON r.slice = s.slice AND r.loan_key = s.loan_key
WHERE s.slice = $1 AND s.loan_key = ANY ($2::bigint[])
ORDER BY s.loan_key
