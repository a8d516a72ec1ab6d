-- What measures read: loans at one day, loans by cohort; and the tables that keep vintages and moves between month ends.

-- Loans as they are, or as they stood at a close as known now. A loan whose newest state is no younger than the close has
-- stood so since; only for the others the history is asked. Status as in core.book_now: 6 is active and charged off.
-- The officer, and whether terms were ever eased by then, are as known now: the history does not hold them.
CREATE FUNCTION core.loans_on(of_book smallint, on_day date, is_live boolean)
RETURNS TABLE (
    slice smallint, loan_key bigint, currency_key smallint, branch_key integer, product_key integer, officer_key integer,
    bucket smallint, status smallint, days_past_due integer, is_eased boolean, principal_minor bigint,
    outstanding_minor bigint, overdue_minor bigint, overdue_principal_minor bigint
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.slice, s.loan_key, s.currency_key, s.branch_key, s.product_key, s.officer_key, s.bucket,
           CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END::smallint,
           coalesce(on_day - s.past_due_on, 0), s.restructured_on IS NOT NULL, s.principal_outstanding_minor,
           s.total_outstanding_minor, s.overdue_minor, s.overdue_principal_minor
    FROM core.loan_state s
    WHERE s.book_key = of_book AND (is_live OR s.as_of <= on_day)
    UNION ALL
    SELECT s.slice, s.loan_key, d.currency_key, d.branch_key, d.product_key, s.officer_key, d.bucket, d.status,
           coalesce(on_day - d.past_due_on, 0), coalesce(s.restructured_on <= on_day, false), d.principal_minor,
           d.outstanding_minor, d.overdue_minor, d.overdue_principal_minor
    FROM core.loan_state s
    CROSS JOIN LATERAL (
        SELECT h.currency_key, h.branch_key, h.product_key, h.bucket, h.status, h.past_due_on, h.principal_minor,
               h.outstanding_minor, h.overdue_minor, h.overdue_principal_minor
        FROM core.loan_day h
        WHERE h.slice = s.slice AND h.loan_key = s.loan_key AND h.on_date <= on_day
        ORDER BY h.known_on DESC, h.on_date DESC
        LIMIT 1
    ) d
    WHERE NOT is_live AND s.book_key = of_book AND s.as_of > on_day
$$;

-- The age in months by which a day is reached: the least whole number of months from a day to that day or after it.
CREATE FUNCTION core.months_until(from_on date, to_on date) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((extract(year FROM to_on) - extract(year FROM from_on)) * 12 + extract(month FROM to_on) - extract(month FROM from_on))::integer
        + ((from_on + make_interval(months => ((extract(year FROM to_on) - extract(year FROM from_on)) * 12 + extract(month FROM to_on) - extract(month FROM from_on))::integer))::date < to_on)::integer;

-- Every loan ever paid out, with its cohort: the month of its first disbursement, for terms up to 90 days its week;
-- and the day at whose close it is known whether its first payment was a default.
CREATE VIEW core.loan_cohort AS
SELECT s.slice, s.loan_key, s.book_key, s.currency_key, s.branch_key, s.product_key, s.officer_key,
       s.cohort_on AS disbursed_on, s.disbursed_minor, s.first_payment_default, s.max_dpd, s.past_due_on, s.as_of,
       coalesce(t.term_days <= 90, false) AS by_week,
       CASE WHEN t.term_days <= 90 THEN date_trunc('week', s.cohort_on)
            ELSE date_trunc('month', s.cohort_on) END::date AS cohort_on,
       s.first_due_on + 1
       + CASE WHEN t.term_days <= coalesce((p.settings ->> 'short_term_days')::integer, 90)
              THEN coalesce((p.settings ->> 'first_payment_default_days_short')::integer, 7)
              ELSE coalesce((p.settings ->> 'first_payment_default_days')::integer, 30) END AS first_payment_known_on
FROM core.loan_state s
JOIN core.loan l USING (slice, loan_key)
LEFT JOIN core.product p USING (product_key)
CROSS JOIN LATERAL (
    SELECT coalesce(l.term_days, (
        SELECT max(i.due_on) FROM core.loan_plan plan, unnest(plan.due_on) AS i (due_on)
        WHERE plan.slice = s.slice AND plan.loan_key = s.loan_key) - s.cohort_on) AS term_days
    OFFSET 0                                        -- else it is worked out again wherever it is named
) t
WHERE s.cohort_on IS NOT NULL;

GRANT SELECT ON core.loan_cohort TO ingest_writer, scoring_writer, mart_writer, analytics_reader;

-- For which close a book's cohorts were made, and how many loans had been told anew by then.
CREATE TABLE reporting.cohort_mark (
    book_key smallint PRIMARY KEY,
    closed_on date NOT NULL,
    restated bigint NOT NULL,
    made_at timestamptz NOT NULL
);

-- Loans by cohort and owner, and their first payments as far as it is known whether they were a default.
CREATE TABLE reporting.cohort_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,                    -- the loan's newest, as are product and officer
    product_key integer NOT NULL,
    officer_key integer NOT NULL,
    by_week boolean NOT NULL,
    cohort_on date NOT NULL,                        -- the first day of the month, the Monday of the week
    youngest_on date NOT NULL,                      -- the last disbursement: from it on the cohort is of an age
    loans bigint NOT NULL,
    disbursed_minor bigint NOT NULL,
    known_loans bigint NOT NULL,
    known_minor bigint NOT NULL,
    defaulted_loans bigint NOT NULL,
    defaulted_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, by_week, cohort_on, branch_key, product_key, officer_key)
);

-- Loans by the age, in whole months (weeks), by which they had for the first time been more than so many days past due.
CREATE TABLE reporting.vintage_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    by_week boolean NOT NULL,
    cohort_on date NOT NULL,
    over_days smallint NOT NULL,
    age smallint NOT NULL,
    loans bigint NOT NULL,
    disbursed_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, by_week, cohort_on, over_days, age, branch_key, product_key)
);

-- Moves between the last closes of two months, once the later month is over.
CREATE TABLE reporting.roll_mark (
    book_key smallint NOT NULL,
    opening_on date NOT NULL,
    closing_on date NOT NULL,
    restated bigint NOT NULL,                       -- loans of the two days told anew by then
    made_at timestamptz NOT NULL,
    PRIMARY KEY (book_key, opening_on, closing_on)
);

CREATE TABLE reporting.roll_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    opening_on date NOT NULL,
    closing_on date NOT NULL,
    bucket smallint NOT NULL,                       -- at the opening
    place smallint NOT NULL,                        -- at the close: a bucket, 5 closed, 6 charged off, 7 written off
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, opening_on, closing_on, bucket, place)
);
