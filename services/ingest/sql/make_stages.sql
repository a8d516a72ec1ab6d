-- Temporary stages of a connection. Whoever uses one empties it (stages.py); only the plain one is emptied by the commit.
-- Emptying at the commit costs milliseconds, above all where a stage has a side table for long values: the plain one has
-- none, since it stores its arrays in place.
CREATE TEMP TABLE IF NOT EXISTS stage_state (LIKE core.loan_state INCLUDING DEFAULTS);
ALTER TABLE stage_state ALTER COLUMN book_key DROP NOT NULL;
CREATE TEMP TABLE IF NOT EXISTS stage_plan (LIKE core.loan_plan);
CREATE TEMP TABLE IF NOT EXISTS stage_plain (
    slice smallint, loan_key bigint, as_of date, version bigint, last_effective_on date, last_business_on date,
    last_sequence bigint, last_recorded_at timestamptz, status smallint, bucket smallint, first_payment_default boolean,
    principal_outstanding_minor bigint, total_outstanding_minor bigint, overdue_minor bigint, overdue_principal_minor bigint,
    due_to_date_minor bigint, paid_minor bigint, overpaid_minor bigint, next_due_minor bigint, last_payment_minor bigint,
    past_due_on date, next_due_on date, next_boundary_on date, last_payment_on date, closed_on date, missed_12m smallint,
    on_time_streak smallint, decided smallint, days_late_sum integer, max_dpd integer,
    recent_days_late smallint[] STORAGE PLAIN, days_late smallint[] STORAGE PLAIN
) ON COMMIT DELETE ROWS;
