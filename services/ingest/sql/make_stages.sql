-- Temporary stages of a connection, in the shape of their tables; a commit empties them.
CREATE TEMP TABLE IF NOT EXISTS stage_event (LIKE core.event INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_state (LIKE core.loan_state INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;
ALTER TABLE stage_state ALTER COLUMN book_key DROP NOT NULL;
CREATE TEMP TABLE IF NOT EXISTS stage_plan (LIKE core.loan_plan) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_plain ON COMMIT DELETE ROWS AS
SELECT slice, loan_key, as_of, version, last_effective_on, last_business_on, last_sequence, last_recorded_at, status, bucket,
       first_payment_default, principal_outstanding_minor, total_outstanding_minor, overdue_minor, overdue_principal_minor,
       due_to_date_minor, paid_minor, overpaid_minor, next_due_minor, last_payment_minor, past_due_on, next_due_on,
       next_boundary_on, last_payment_on, closed_on, missed_12m, on_time_streak, decided, days_late_sum, max_dpd,
       recent_days_late, days_late
FROM core.loan_state WITH NO DATA;
