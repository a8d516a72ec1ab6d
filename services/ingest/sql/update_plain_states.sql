-- What payments or a new day changed of plain loans, from the stage.
UPDATE core.loan_state s
SET as_of = t.as_of, version = t.version, last_effective_on = t.last_effective_on, last_business_on = t.last_business_on,
    last_sequence = t.last_sequence, last_recorded_at = t.last_recorded_at, status = t.status, bucket = t.bucket,
    first_payment_default = t.first_payment_default, principal_outstanding_minor = t.principal_outstanding_minor,
    total_outstanding_minor = t.total_outstanding_minor, overdue_minor = t.overdue_minor,
    overdue_principal_minor = t.overdue_principal_minor, due_to_date_minor = t.due_to_date_minor,
    paid_minor = t.paid_minor, overpaid_minor = t.overpaid_minor, next_due_minor = t.next_due_minor,
    last_payment_minor = t.last_payment_minor, past_due_on = t.past_due_on, next_due_on = t.next_due_on,
    next_boundary_on = t.next_boundary_on, last_payment_on = t.last_payment_on, closed_on = t.closed_on,
    missed_12m = t.missed_12m, on_time_streak = t.on_time_streak, decided = t.decided, days_late_sum = t.days_late_sum,
    max_dpd = t.max_dpd, recent_days_late = t.recent_days_late, days_late = t.days_late, changed_at = now()
FROM stage_plain t
WHERE s.slice = t.slice AND s.loan_key = t.loan_key
