-- The state of every loan, the fold's working memory, and the live roll-ups kept by difference.

-- Hot and narrow, indexed by its key only, so that every update stays in its page.
CREATE TABLE core.loan_state (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL DEFAULT 0,       -- 0: not yet known
    branch_key integer NOT NULL DEFAULT 0,
    product_key integer NOT NULL DEFAULT 0,
    officer_key integer NOT NULL DEFAULT 0,
    status smallint NOT NULL,                       -- loanbook.domain.loan.LoanStatus
    bucket smallint NOT NULL,                       -- loanbook.domain.loan.DelinquencyBucket
    estimated boolean NOT NULL DEFAULT false,       -- principal is pro rata: the feed gives no components
    first_payment_default boolean NOT NULL DEFAULT false,
    as_of date NOT NULL,
    version bigint NOT NULL,
    fold_version smallint NOT NULL,
    disbursed_minor bigint NOT NULL DEFAULT 0,
    scheduled_minor bigint NOT NULL DEFAULT 0,
    principal_outstanding_minor bigint NOT NULL DEFAULT 0,
    total_outstanding_minor bigint NOT NULL DEFAULT 0,
    overdue_minor bigint NOT NULL DEFAULT 0,
    overdue_principal_minor bigint NOT NULL DEFAULT 0,
    due_to_date_minor bigint NOT NULL DEFAULT 0,
    paid_minor bigint NOT NULL DEFAULT 0,
    overpaid_minor bigint NOT NULL DEFAULT 0,
    written_off_minor bigint NOT NULL DEFAULT 0,
    recovered_minor bigint NOT NULL DEFAULT 0,
    next_due_minor bigint NOT NULL DEFAULT 0,
    last_payment_minor bigint NOT NULL DEFAULT 0,
    cohort_on date,
    first_due_on date,
    past_due_on date,                               -- days past due = business day - this, never a stored count
    next_due_on date,
    next_boundary_on date,
    last_payment_on date,
    closed_on date,
    charged_off_on date,
    restructured_on date,
    missed_12m smallint NOT NULL DEFAULT 0,
    on_time_streak smallint NOT NULL DEFAULT 0,
    decided smallint NOT NULL DEFAULT 0,
    days_late_sum integer NOT NULL DEFAULT 0,
    recent_days_late smallint[] NOT NULL DEFAULT '{}',
    max_dpd integer NOT NULL DEFAULT 0,
    returned_payments smallint NOT NULL DEFAULT 0,
    last_effective_on date,
    last_recorded_at timestamptz,
    last_event_id text COLLATE "C",
    unapplied smallint NOT NULL DEFAULT 0,          -- events kept that do not count
    unapplied_minor bigint NOT NULL DEFAULT 0,      -- cash among them
    quarantine text,                                -- the fold failed: why; its events stay
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (slice, loan_key)
) PARTITION BY LIST (slice);

-- One row a loan, not one an installment; readable in SQL by unnest. Amounts in minor units.
CREATE TABLE core.loan_plan (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    schedule_version integer NOT NULL,
    due_on date[] NOT NULL,
    kind text[] NOT NULL,
    met_on date[] NOT NULL,
    principal_due bigint[] NOT NULL,
    interest_due bigint[] NOT NULL,
    fee_due bigint[] NOT NULL,
    penalty_due bigint[] NOT NULL,
    principal_paid bigint[] NOT NULL,
    interest_paid bigint[] NOT NULL,
    fee_paid bigint[] NOT NULL,
    penalty_paid bigint[] NOT NULL,
    waived bigint[] NOT NULL,
    PRIMARY KEY (slice, loan_key)
) PARTITION BY LIST (slice);

-- Events that are kept and do not count, with the reason; replaced whenever the loan is folded.
CREATE TABLE core.unapplied (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (slice, loan_key, event_id)
) PARTITION BY LIST (slice);

CREATE TABLE core.book_now (
    slice smallint NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    bucket smallint NOT NULL,
    status smallint NOT NULL,                       -- LoanStatus, or 6: active and charged off
    loans bigint NOT NULL DEFAULT 0,
    disbursed_minor bigint NOT NULL DEFAULT 0,
    paid_minor bigint NOT NULL DEFAULT 0,
    principal_minor bigint NOT NULL DEFAULT 0,
    outstanding_minor bigint NOT NULL DEFAULT 0,
    overdue_minor bigint NOT NULL DEFAULT 0,
    overdue_principal_minor bigint NOT NULL DEFAULT 0,
    estimated_loans bigint NOT NULL DEFAULT 0,      -- whose principal is pro rata
    PRIMARY KEY (slice, book_key, currency_key, branch_key, product_key, bucket, status)
) PARTITION BY LIST (slice);

-- book_now at the close of each day, plus differences that became known later.
CREATE TABLE core.book_day (
    slice smallint NOT NULL,
    business_on date NOT NULL,
    known_on date NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    bucket smallint NOT NULL,
    status smallint NOT NULL,
    loans bigint NOT NULL,
    disbursed_minor bigint NOT NULL,
    paid_minor bigint NOT NULL,
    principal_minor bigint NOT NULL,
    outstanding_minor bigint NOT NULL,
    overdue_minor bigint NOT NULL,
    overdue_principal_minor bigint NOT NULL,
    estimated_loans bigint NOT NULL,
    PRIMARY KEY (slice, book_key, business_on, known_on, currency_key, branch_key, product_key, bucket, status)
) PARTITION BY LIST (slice);

-- Cash by effective day, as differences by the day they became known.
CREATE TABLE core.cash_day (
    slice smallint NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    effective_on date NOT NULL,
    known_on date NOT NULL,
    due_minor bigint NOT NULL DEFAULT 0,
    due_count bigint NOT NULL DEFAULT 0,
    current_minor bigint NOT NULL DEFAULT 0,
    arrears_minor bigint NOT NULL DEFAULT 0,
    advance_minor bigint NOT NULL DEFAULT 0,
    due_collected_minor bigint NOT NULL DEFAULT 0,        -- of what fell due that day, paid by its close
    on_time_count bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (slice, book_key, effective_on, known_on, currency_key, branch_key, product_key)
) PARTITION BY LIST (slice);

-- Payments by the minute we took them in; eight days are kept.
CREATE TABLE core.cash_minute (
    slice smallint NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    minute timestamptz NOT NULL,
    payments bigint NOT NULL DEFAULT 0,
    amount_minor bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (slice, book_key, minute, currency_key, branch_key)
) PARTITION BY LIST (slice);

DO $$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['loan_state', 'loan_plan', 'unapplied', 'book_now', 'book_day', 'cash_day', 'cash_minute'] LOOP
        FOR n IN 0..15 LOOP
            EXECUTE format('CREATE TABLE core.%1$s_%2$s PARTITION OF core.%1$s FOR VALUES IN (%2$s)', parent, n);
            IF parent IN ('loan_state', 'loan_plan', 'book_now') THEN
                EXECUTE format('ALTER TABLE core.%s_%s SET (fillfactor = 70)', parent, n);
            END IF;
        END LOOP;
    END LOOP;
END $$;
