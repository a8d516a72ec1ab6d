-- What boards read of the book: views with names, in major units; and the tables the refresh keeps each minute.
-- GLP and PAR count status ACTIVE alone: a charged-off loan stands in the roll-ups under a number of its own.

CREATE INDEX event_reversal_known_on ON core.event (known_on) WHERE type_key = 6;   -- few; boards ask for today's

-- Numbers to words, and minor units to major ones ------------------------------------------------------------------

CREATE FUNCTION reporting.major(minor numeric, exponent smallint) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN round(minor / power(10::numeric, exponent), exponent);

CREATE FUNCTION reporting.bucket_name(bucket smallint) RETURNS text       -- loanbook.domain.loan.DelinquencyBucket
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (ARRAY['current', '1-30', '31-60', '61-90', '91+'])[bucket + 1];

CREATE FUNCTION reporting.status_name(status smallint) RETURNS text       -- loanbook.domain.loan.LoanStatus, and 6
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (ARRAY['pending', 'active', 'overpaid', 'closed', 'written_off', 'cancelled', 'charged_off'])[status + 1];

CREATE FUNCTION reporting.band_name(band smallint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (ARRAY['LOW', 'WATCH', 'HIGH', 'CRITICAL'])[band + 1];

CREATE FUNCTION reporting.severity_name(severity smallint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (ARRAY['INFO', 'WATCH', 'HIGH', 'CRITICAL'])[severity + 1];

CREATE FUNCTION reporting.event_type_name(type_key smallint) RETURNS text -- loanbook.postgres.ledger.TYPE_KEYS
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (ARRAY[
        'loan.created', 'loan.disbursed', 'loan.opened_from_snapshot', 'schedule.published',
        'payment.posted', 'payment.reversed', 'loan.closed', 'loan.branch_moved', 'loan.approved',
        'loan.approval_undone', 'loan.rejected', 'loan.withdrawn', 'loan.disbursal_undone',
        'loan.restructured', 'loan.restructure_undone', 'loan.status_changed', 'loan.snapshot',
        'payment.adjusted', 'payment.charged_back', 'credit.posted', 'overpayment.refunded',
        'recovery.posted', 'charge.added', 'charge.updated', 'charge.waived', 'charge.waiver_undone',
        'charge.deleted', 'loan.charged_off', 'loan.charge_off_undone', 'loan.written_off',
        'loan.write_off_undone', 'loan.officer_changed', 'loan.owner_changed', 'delinquency.paused',
        'delinquency.resumed', 'delinquency.changed', 'repayment.due', 'repayment.overdue',
        'collection.attempted', 'promise.made', 'legal_action.started', 'card.limit_changed', 'card.spent',
        'card.statement_issued', 'bureau.score_received'
    ])[type_key];

CREATE FUNCTION reporting.ratio(part numeric, whole numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN round(part / nullif(whole, 0), 6);

-- Tables of the refresh: recomputed or appended each minute ---------------------------------------------------------

CREATE TABLE reporting.mart_refresh (
    mart text PRIMARY KEY,
    refreshed_at timestamptz NOT NULL,
    took_ms integer NOT NULL
);

-- The live roll-up, marked each minute; eight days are kept.
CREATE TABLE reporting.book_minute (
    at timestamptz NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    business_on date NOT NULL,
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    overdue_minor bigint NOT NULL,
    par0_minor bigint NOT NULL,
    par30_minor bigint NOT NULL,
    par60_minor bigint NOT NULL,
    par90_minor bigint NOT NULL,
    PRIMARY KEY (at, book_key, currency_key, branch_key)
);

-- What flowed in each minute, so that boards work without Prometheus; eight days are kept.
CREATE TABLE reporting.pipeline_minute (
    minute timestamptz PRIMARY KEY,
    events bigint NOT NULL,                         -- ledger rows taken in
    payments bigint NOT NULL,
    dead_letters bigint NOT NULL,
    scores bigint NOT NULL,                         -- loans whose newest score is of this minute
    data_age_ms bigint,                             -- worst partition at the minute's mark
    outbox_waiting bigint,                          -- what waits is null where nobody looked in that minute
    scores_behind bigint,                           -- loans whose state is newer than their score
    restating bigint,
    deliveries_waiting bigint
);

-- Active loans with arrears by the due date they are behind with.
CREATE TABLE reporting.past_due_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    past_due_on date NOT NULL,
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    overdue_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, branch_key, product_key, past_due_on)
);

-- Day closes without slices and buckets; a day is made again when it has been told anew.
CREATE TABLE reporting.portfolio_day_mart (
    book_key smallint NOT NULL,
    business_on date NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    loans bigint NOT NULL,
    disbursed_minor bigint NOT NULL,
    paid_minor bigint NOT NULL,
    principal_minor bigint NOT NULL,
    overdue_minor bigint NOT NULL,
    par0_minor bigint NOT NULL,
    par30_minor bigint NOT NULL,
    par60_minor bigint NOT NULL,
    par90_minor bigint NOT NULL,
    PRIMARY KEY (book_key, business_on, currency_key, branch_key, product_key)
);

CREATE TABLE reporting.portfolio_day_mark (
    book_key smallint NOT NULL,
    business_on date NOT NULL,
    restated bigint NOT NULL,                       -- loans told anew so far, as the day was made
    PRIMARY KEY (book_key, business_on)
);

CREATE TABLE reporting.risk_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    band smallint NOT NULL,
    basis text NOT NULL,
    loans bigint NOT NULL,
    exposure_minor bigint NOT NULL,
    expected_loss_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, branch_key, product_key, band, basis)
);

-- Dimensions, for the variables of boards ---------------------------------------------------------------------------

CREATE VIEW reporting.books AS
SELECT book, timezone, default_currency AS currency, opened_on, business_on, replaying FROM core.book;

CREATE VIEW reporting.currencies AS
SELECT b.book, c.code AS currency, c.exponent, c.code = b.default_currency AS is_default
FROM core.book b
JOIN core.book_currency bc USING (book_key)
JOIN core.currency c USING (currency_key);

-- Branch 0 and product 0 hold what the feed does not say: 'unknown'.
CREATE VIEW reporting.branches AS
SELECT b.book, br.branch, coalesce(br.name, br.branch) AS name, coalesce(br.region, 'unknown') AS region
FROM core.branch br JOIN core.book b USING (book_key)
UNION ALL SELECT book, 'unknown', 'unknown', 'unknown' FROM core.book;

CREATE VIEW reporting.products AS
SELECT b.book, p.product FROM core.product p JOIN core.book b USING (book_key)
UNION ALL SELECT book, 'unknown' FROM core.book;

-- The portfolio as it is --------------------------------------------------------------------------------------------

-- Slices are summed by key first, then named: far cheaper than grouping by names.
CREATE VIEW reporting.portfolio_cells AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       reporting.bucket_name(n.bucket) AS bucket, n.bucket AS bucket_order, reporting.status_name(n.status) AS status,
       n.status = 1 AS counts,                      -- in GLP and PAR
       n.loans, n.estimated_loans,
       reporting.major(n.disbursed, c.exponent) AS disbursed,
       reporting.major(n.paid, c.exponent) AS paid,
       reporting.major(n.principal, c.exponent) AS principal,
       reporting.major(n.outstanding, c.exponent) AS outstanding,
       reporting.major(n.overdue, c.exponent) AS overdue,
       reporting.major(n.overdue_principal, c.exponent) AS overdue_principal
FROM (
    SELECT book_key, currency_key, branch_key, product_key, bucket, status, sum(loans)::bigint AS loans,
           sum(estimated_loans)::bigint AS estimated_loans, sum(disbursed_minor) AS disbursed, sum(paid_minor) AS paid,
           sum(principal_minor) AS principal, sum(outstanding_minor) AS outstanding, sum(overdue_minor) AS overdue,
           sum(overdue_principal_minor) AS overdue_principal
    FROM core.book_now
    GROUP BY book_key, currency_key, branch_key, product_key, bucket, status
) n
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

CREATE VIEW reporting.branch_now AS
SELECT x.book, x.currency, x.region, x.branch, x.product,
       coalesce(sum(loans) FILTER (WHERE counts), 0)::bigint AS loans,
       coalesce(sum(loans) FILTER (WHERE status NOT IN ('pending', 'cancelled')), 0)::bigint AS loans_disbursed,
       coalesce(sum(loans) FILTER (WHERE status IN ('closed', 'overpaid')), 0)::bigint AS loans_repaid,
       coalesce(sum(loans) FILTER (WHERE status = 'charged_off'), 0)::bigint AS loans_charged_off,
       coalesce(sum(loans) FILTER (WHERE status = 'written_off'), 0)::bigint AS loans_written_off,
       coalesce(sum(loans) FILTER (WHERE status = 'pending'), 0)::bigint AS loans_pending,
       coalesce(sum(loans) FILTER (WHERE counts AND bucket_order BETWEEN 1 AND 3), 0)::bigint AS loans_underperforming,
       coalesce(sum(estimated_loans) FILTER (WHERE counts), 0)::bigint AS estimated_loans,
       coalesce(sum(disbursed), 0) AS disbursed,
       coalesce(sum(paid), 0) AS paid,
       coalesce(sum(principal) FILTER (WHERE counts), 0) AS principal,
       coalesce(sum(outstanding) FILTER (WHERE counts), 0) AS outstanding,
       coalesce(sum(overdue) FILTER (WHERE counts), 0) AS overdue,
       coalesce(sum(overdue_principal) FILTER (WHERE counts), 0) AS overdue_principal,
       coalesce(sum(principal) FILTER (WHERE counts AND bucket_order >= 1), 0) AS par0_principal,
       coalesce(sum(principal) FILTER (WHERE counts AND bucket_order >= 2), 0) AS par30_principal,
       coalesce(sum(principal) FILTER (WHERE counts AND bucket_order >= 3), 0) AS par60_principal,
       coalesce(sum(principal) FILTER (WHERE counts AND bucket_order >= 4), 0) AS par90_principal,
       coalesce(sum(loans) FILTER (WHERE counts AND bucket_order >= 1), 0)::bigint AS par0_loans,
       coalesce(sum(loans) FILTER (WHERE counts AND bucket_order >= 2), 0)::bigint AS par30_loans,
       coalesce(sum(loans) FILTER (WHERE counts AND bucket_order >= 3), 0)::bigint AS par60_loans,
       coalesce(sum(loans) FILTER (WHERE counts AND bucket_order >= 4), 0)::bigint AS par90_loans
FROM reporting.portfolio_cells x
GROUP BY x.book, x.currency, x.region, x.branch, x.product;

-- Ratios of the whole book; for a selection divide the sums of branch_now, never average its ratios.
CREATE VIEW reporting.portfolio_now AS
SELECT book, currency, k.business_on,
       sum(loans)::bigint AS loans, sum(loans_disbursed)::bigint AS loans_disbursed,
       sum(loans_repaid)::bigint AS loans_repaid, sum(loans_charged_off)::bigint AS loans_charged_off,
       sum(loans_written_off)::bigint AS loans_written_off, sum(loans_pending)::bigint AS loans_pending,
       sum(loans_underperforming)::bigint AS loans_underperforming, sum(estimated_loans)::bigint AS estimated_loans,
       sum(disbursed) AS disbursed, sum(paid) AS paid, sum(principal) AS principal, sum(outstanding) AS outstanding,
       sum(overdue) AS overdue, sum(overdue_principal) AS overdue_principal,
       sum(par0_principal) AS par0_principal, sum(par30_principal) AS par30_principal,
       sum(par60_principal) AS par60_principal, sum(par90_principal) AS par90_principal,
       sum(par0_loans)::bigint AS par0_loans, sum(par30_loans)::bigint AS par30_loans,
       sum(par60_loans)::bigint AS par60_loans, sum(par90_loans)::bigint AS par90_loans,
       reporting.ratio(sum(par0_principal), sum(principal)) AS par0,
       reporting.ratio(sum(par30_principal), sum(principal)) AS par30,
       reporting.ratio(sum(par60_principal), sum(principal)) AS par60,
       reporting.ratio(sum(par90_principal), sum(principal)) AS par90,
       reporting.ratio(sum(par30_loans), sum(loans)) AS par30_by_count,
       reporting.ratio(sum(overdue_principal), sum(principal)) AS arrears_rate
FROM reporting.branch_now JOIN core.book k USING (book)
GROUP BY book, currency, k.business_on;

-- Day closes as restated now, and the running day as the last point (live). Closed days come from the refresh's table,
-- and those after its last one straight from the roll-up.
CREATE VIEW reporting.portfolio_day AS
SELECT b.book, c.code AS currency, d.business_on, d.live, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product, d.loans::bigint AS loans,
       reporting.major(d.disbursed_minor, c.exponent) AS disbursed,
       reporting.major(d.paid_minor, c.exponent) AS paid,
       reporting.major(d.principal_minor, c.exponent) AS principal,
       reporting.major(d.overdue_minor, c.exponent) AS overdue,
       reporting.major(d.par0_minor, c.exponent) AS par0_principal,
       reporting.major(d.par30_minor, c.exponent) AS par30_principal,
       reporting.major(d.par60_minor, c.exponent) AS par60_principal,
       reporting.major(d.par90_minor, c.exponent) AS par90_principal
FROM (
    SELECT book_key, currency_key, branch_key, product_key, business_on, false AS live, loans, disbursed_minor,
           paid_minor, principal_minor, overdue_minor, par0_minor, par30_minor, par60_minor, par90_minor
    FROM reporting.portfolio_day_mart
    UNION ALL
    SELECT day.book_key, day.currency_key, day.branch_key, day.product_key, day.business_on, false, day.loans,
           day.disbursed_minor, day.paid_minor, day.principal_minor, day.overdue_minor, day.par0_minor, day.par30_minor,
           day.par60_minor, day.par90_minor
    FROM core.book k
    CROSS JOIN LATERAL (
        SELECT coalesce(max(m.business_on), '-infinity') AS business_on
        FROM reporting.portfolio_day_mart m WHERE m.book_key = k.book_key
    ) last
    CROSS JOIN LATERAL (
        SELECT d.book_key, d.currency_key, d.branch_key, d.product_key, d.business_on, coalesce(sum(d.loans) FILTER (WHERE d.status = 1), 0) AS loans,
           sum(d.disbursed_minor) AS disbursed_minor, sum(d.paid_minor) AS paid_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1), 0) AS principal_minor,
           coalesce(sum(d.overdue_minor) FILTER (WHERE d.status = 1), 0) AS overdue_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 1), 0) AS par0_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 2), 0) AS par30_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 3), 0) AS par60_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 4), 0) AS par90_minor
        FROM core.book_day d
        WHERE d.book_key = k.book_key AND d.business_on > last.business_on
        GROUP BY d.book_key, d.currency_key, d.branch_key, d.product_key, d.business_on
    ) day
    UNION ALL
    SELECT d.book_key, d.currency_key, d.branch_key, d.product_key, k.business_on, true, coalesce(sum(d.loans) FILTER (WHERE d.status = 1), 0) AS loans,
           sum(d.disbursed_minor) AS disbursed_minor, sum(d.paid_minor) AS paid_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1), 0) AS principal_minor,
           coalesce(sum(d.overdue_minor) FILTER (WHERE d.status = 1), 0) AS overdue_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 1), 0) AS par0_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 2), 0) AS par30_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 3), 0) AS par60_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 4), 0) AS par90_minor
    FROM core.book_now d JOIN core.book k USING (book_key)
    GROUP BY d.book_key, d.currency_key, d.branch_key, d.product_key, k.business_on
) d
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

CREATE VIEW reporting.book_minute_now AS
SELECT m.at, b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, m.business_on, m.loans,
       reporting.major(m.principal_minor, c.exponent) AS principal,
       reporting.major(m.overdue_minor, c.exponent) AS overdue,
       reporting.major(m.par0_minor, c.exponent) AS par0_principal,
       reporting.major(m.par30_minor, c.exponent) AS par30_principal,
       reporting.major(m.par60_minor, c.exponent) AS par60_principal,
       reporting.major(m.par90_minor, c.exponent) AS par90_principal
FROM reporting.book_minute m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key);

-- Cash --------------------------------------------------------------------------------------------------------------

-- `closed` days have an efficiency; the running day's cash is "so far". Sum before dividing.
CREATE VIEW reporting.cash_day_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       d.day, d.day < b.business_on AS closed,
       reporting.major(d.due, c.exponent) AS due, d.due_count, d.on_time_count,
       reporting.major(d.collected, c.exponent) AS due_collected,   -- by the close of the day
       reporting.major(d.current, c.exponent) AS current,
       reporting.major(d.arrears, c.exponent) AS arrears,
       reporting.major(d.advance, c.exponent) AS advance,
       reporting.major(d.current + d.arrears + d.advance, c.exponent) AS cash,
       reporting.ratio(d.collected, d.due) AS efficiency_current,
       reporting.ratio(d.current + d.arrears + d.advance, d.due) AS efficiency_total
FROM (
    SELECT book_key, currency_key, branch_key, product_key, effective_on AS day, sum(due_minor) AS due,
           sum(due_count)::bigint AS due_count, sum(on_time_count)::bigint AS on_time_count,
           sum(due_collected_minor) AS collected, sum(current_minor) AS current, sum(arrears_minor) AS arrears,
           sum(advance_minor) AS advance
    FROM core.cash_day
    GROUP BY book_key, currency_key, branch_key, product_key, effective_on
) d
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

CREATE VIEW reporting.cash_minute_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, m.minute, m.payments, reporting.major(m.amount, c.exponent) AS amount
FROM (
    SELECT book_key, currency_key, branch_key, minute, sum(payments)::bigint AS payments, sum(amount_minor) AS amount
    FROM core.cash_minute
    GROUP BY book_key, currency_key, branch_key, minute
) m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key);

-- Loans -------------------------------------------------------------------------------------------------------------

CREATE VIEW reporting.loan_now AS
SELECT b.book, l.loan_id, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 'charged_off'
            ELSE reporting.status_name(s.status) END AS status,
       reporting.bucket_name(s.bucket) AS bucket,
       coalesce(greatest(b.business_on - s.past_due_on, 0), 0) AS days_past_due,
       s.estimated, s.first_payment_default,
       CASE WHEN s.next_boundary_on <= b.business_on THEN s.as_of ELSE b.business_on END AS as_of, b.business_on, s.version, s.changed_at,
       l.disbursed_on, l.annual_rate_bps, l.term_days,
       reporting.major(s.disbursed_minor, c.exponent) AS disbursed,
       reporting.major(s.scheduled_minor, c.exponent) AS scheduled,
       reporting.major(s.paid_minor, c.exponent) AS paid,
       reporting.major(s.principal_outstanding_minor, c.exponent) AS principal,
       reporting.major(s.total_outstanding_minor, c.exponent) AS outstanding,
       reporting.major(s.overdue_minor, c.exponent) AS overdue,
       reporting.major(s.due_to_date_minor, c.exponent) AS due_to_date,
       reporting.major(s.overpaid_minor, c.exponent) AS overpaid,
       s.past_due_on, s.next_due_on, reporting.major(s.next_due_minor, c.exponent) AS next_due,
       s.last_payment_on,
       CASE WHEN s.last_payment_on IS NOT NULL THEN reporting.major(s.last_payment_minor, c.exponent) END AS last_payment,
       s.closed_on, s.charged_off_on, s.restructured_on,
       s.missed_12m, s.on_time_streak, s.max_dpd, s.returned_payments,
       s.unapplied, reporting.major(s.unapplied_minor, c.exponent) AS unapplied_amount, s.quarantine,
       r.risk_score, reporting.band_name(r.band) AS risk_band, r.default_probability, r.basis AS score_basis,
       r.strategy, r.stage, r.scored_at, reporting.major(r.expected_loss_minor, c.exponent) AS expected_loss
FROM core.loan_state s
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b ON b.book_key = s.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product p ON p.product_key = s.product_key
LEFT JOIN risk.score r USING (slice, loan_key);

CREATE VIEW reporting.installments AS
SELECT b.book, l.loan_id, c.code AS currency, i.number, i.kind, i.due_on, i.met_on,
       reporting.major(i.principal_due, c.exponent) AS principal_due,
       reporting.major(i.interest_due, c.exponent) AS interest_due,
       reporting.major(i.fee_due, c.exponent) AS fee_due,
       reporting.major(i.penalty_due, c.exponent) AS penalty_due,
       reporting.major(i.due, c.exponent) AS due,
       reporting.major(i.paid, c.exponent) AS paid,
       reporting.major(i.waived, c.exponent) AS waived,
       reporting.major(i.due - i.paid - i.waived, c.exponent) AS outstanding,
       CASE WHEN i.met_on IS NOT NULL AND i.met_on > i.due_on THEN 'paid late'
            WHEN i.met_on IS NOT NULL THEN 'paid'
            WHEN i.due_on < b.business_on AND i.paid > 0 THEN 'overdue, partial'
            WHEN i.due_on < b.business_on THEN 'overdue'
            WHEN i.due_on = b.business_on THEN 'due'
            WHEN i.paid > 0 THEN 'upcoming, partial'
            ELSE 'upcoming' END AS state,
       CASE WHEN i.met_on IS NOT NULL THEN greatest(i.met_on - i.due_on, 0)
            ELSE greatest(b.business_on - i.due_on, 0) END AS days_late
FROM core.loan_plan plan
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.book b ON b.book_key = l.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
CROSS JOIN LATERAL (
    SELECT u.number, u.kind, u.due_on, u.met_on, p.*,
           p.principal_due + p.interest_due + p.fee_due + p.penalty_due AS due, p.paid_parts AS paid
    FROM unnest(plan.kind, plan.due_on, plan.met_on, plan.principal_due, plan.interest_due, plan.fee_due,
                plan.penalty_due, plan.principal_paid, plan.interest_paid, plan.fee_paid, plan.penalty_paid,
                plan.waived)
         WITH ORDINALITY
         AS u(kind, due_on, met_on, principal_due, interest_due, fee_due, penalty_due,
              principal_paid, interest_paid, fee_paid, penalty_paid, waived, number)
    CROSS JOIN LATERAL (
        SELECT coalesce(u.principal_due, 0) AS principal_due, coalesce(u.interest_due, 0) AS interest_due,
               coalesce(u.fee_due, 0) AS fee_due, coalesce(u.penalty_due, 0) AS penalty_due,
               coalesce(u.principal_paid, 0) + coalesce(u.interest_paid, 0) + coalesce(u.fee_paid, 0)
               + coalesce(u.penalty_paid, 0) AS paid_parts,
               coalesce(u.waived, 0) AS waived
    ) p                                             -- an array of nothing but zeros is stored empty
) i;

CREATE VIEW reporting.loan_events AS
SELECT b.book, l.loan_id, e.event_id, reporting.event_type_name(e.type_key) AS type, c.code AS currency,
       reporting.major(e.amount_minor, c.exponent) AS amount, e.effective_on, e.business_on, e.known_on,
       e.recorded_at, e.ingested_at, e.entity_id, e.entity_version, e.is_copy, u.reason AS unapplied_reason
FROM core.event e
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b USING (book_key)
LEFT JOIN core.loan_state s USING (slice, loan_key)
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.unapplied u USING (slice, loan_key, event_id);

CREATE VIEW reporting.loan_scores AS
SELECT b.book, l.loan_id, h.scored_at, h.as_of, h.model, h.default_probability, h.risk_score,
       reporting.band_name(h.band) AS risk_band
FROM risk.score_history h
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b USING (book_key);

CREATE VIEW reporting.unapplied_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       l.loan_id, u.event_id, u.reason, reporting.major(u.amount_minor, c.exponent) AS amount
FROM core.unapplied u
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.book b ON b.book_key = l.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product p ON p.product_key = s.product_key;

-- Payments returned on the running business day, with the amount of the payment each undoes.
CREATE VIEW reporting.returned_today AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(pr.product, 'unknown') AS product,
       l.loan_id, e.event_id, e.effective_on, e.known_on, reporting.major(paid.amount_minor, c.exponent) AS amount
FROM core.book b
JOIN core.event e ON e.type_key = 6 AND e.known_on = b.business_on AND NOT e.is_copy
JOIN core.loan l ON l.slice = e.slice AND l.loan_key = e.loan_key AND l.book_key = b.book_key
JOIN core.loan_state s ON s.slice = e.slice AND s.loan_key = e.loan_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product pr ON pr.product_key = s.product_key
LEFT JOIN LATERAL (
    SELECT p.amount_minor
    FROM jsonb_array_elements(convert_from(e.detail, 'UTF8')::jsonb -> 'relates_to') relation
    JOIN core.event p ON p.slice = e.slice AND p.loan_key = e.loan_key AND p.type_key = 5
                     AND relation ->> 'id' IN (p.entity_id, p.event_id)
    WHERE relation ->> 'kind' = 'reverses' AND NOT p.is_copy
    LIMIT 1
) paid ON true;

-- Risk, from the minute's mart ---------------------------------------------------------------------------------------

CREATE VIEW reporting.risk_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       reporting.band_name(m.band) AS risk_band, m.band AS band_order, m.basis, m.loans,
       reporting.major(m.exposure_minor, c.exponent) AS exposure,
       reporting.major(m.expected_loss_minor, c.exponent) AS expected_loss
FROM reporting.risk_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

-- Loans by days past due, from the minute's mart.
CREATE VIEW reporting.past_due_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       m.past_due_on, b.business_on - m.past_due_on AS days_past_due, m.loans,
       reporting.major(m.principal_minor, c.exponent) AS principal,
       reporting.major(m.overdue_minor, c.exponent) AS overdue
FROM reporting.past_due_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

CREATE VIEW reporting.alerts AS
SELECT a.episode_id, b.book, a.rule, reporting.severity_name(a.severity) AS severity,
       a.severity AS severity_order, a.state, a.state NOT IN ('resolved', 'withdrawn') AS is_open, a.baseline,
       l.loan_id, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       a.opened_on, a.opened_at, a.escalated_at, a.closed_on, a.closed_at, a.close_reason,
       a.acknowledged_by, a.acknowledged_at, a.acknowledge_note, a.assignee, a.useful, a.snapshot,
       CASE WHEN s.loan_key IS NOT NULL THEN coalesce(greatest(b.business_on - s.past_due_on, 0), 0) END AS days_past_due,
       reporting.major(s.overdue_minor, c.exponent) AS overdue,
       reporting.major(s.principal_outstanding_minor, c.exponent) AS principal
FROM risk.alert_episode a
JOIN core.book b USING (book_key)
LEFT JOIN core.loan l ON l.slice = a.slice AND l.loan_key = a.loan_key
LEFT JOIN core.loan_state s ON s.slice = a.slice AND s.loan_key = a.loan_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = coalesce(s.branch_key, a.branch_key)
LEFT JOIN core.product p ON p.product_key = s.product_key;

CREATE VIEW reporting.alerts_now AS SELECT * FROM reporting.alerts WHERE is_open;

-- Today: one row a branch and product; sum what is selected -----------------------------------------------------------

CREATE VIEW reporting.today AS
WITH part AS (
    SELECT d.book_key, d.currency_key, d.branch_key, d.product_key, d.due_minor AS due, d.due_count,
           d.due_collected_minor AS collected, d.current_minor + d.arrears_minor + d.advance_minor AS cash,
           0::bigint AS missed, 0::bigint AS missed_minor, 0::bigint AS rolled, 0::bigint AS rolled_minor,
           0::bigint AS unapplied, 0::bigint AS unapplied_minor
    FROM core.book k JOIN core.cash_day d ON d.book_key = k.book_key AND d.effective_on = k.business_on
    UNION ALL
    SELECT d.book_key, d.currency_key, d.branch_key, d.product_key, 0, 0, 0, 0,
           d.due_count - d.on_time_count, d.due_minor - d.due_collected_minor, 0, 0, 0, 0
    FROM core.book k JOIN core.cash_day d ON d.book_key = k.book_key AND d.effective_on = k.business_on - 1
    UNION ALL
    SELECT m.book_key, m.currency_key, m.branch_key, m.product_key, 0, 0, 0, 0, 0, 0, m.loans, m.principal_minor, 0, 0
    FROM core.book k
    JOIN reporting.past_due_mart m ON m.book_key = k.book_key AND m.past_due_on = k.business_on - 31
    UNION ALL
    SELECT s.book_key, s.currency_key, s.branch_key, s.product_key, 0, 0, 0, 0, 0, 0, 0, 0, 1, u.amount_minor
    FROM core.unapplied u JOIN core.loan_state s USING (slice, loan_key)
), keyed AS (
    SELECT book_key, currency_key, branch_key, product_key, sum(due) AS due, sum(due_count) AS due_count,
           sum(collected) AS collected, sum(cash) AS cash, sum(missed) AS missed, sum(missed_minor) AS missed_minor,
           sum(rolled) AS rolled, sum(rolled_minor) AS rolled_minor, sum(unapplied) AS unapplied,
           sum(unapplied_minor) AS unapplied_minor
    FROM part
    GROUP BY book_key, currency_key, branch_key, product_key
), named AS (
    SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
           coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
           reporting.major(due, c.exponent) AS due, due_count, reporting.major(collected, c.exponent) AS due_collected,
           reporting.major(cash, c.exponent) AS cash, missed, reporting.major(missed_minor, c.exponent) AS missed_amount,
           rolled, reporting.major(rolled_minor, c.exponent) AS rolled_principal,
           unapplied, reporting.major(unapplied_minor, c.exponent) AS unapplied_amount,
           0::bigint AS returned, 0::numeric AS returned_amount
    FROM keyed
    JOIN core.book b USING (book_key)
    JOIN core.currency c USING (currency_key)
    LEFT JOIN core.branch br USING (branch_key)
    LEFT JOIN core.product p USING (product_key)
    UNION ALL
    SELECT book, currency, region, branch, product, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, coalesce(amount, 0)
    FROM reporting.returned_today
)
SELECT book, currency, region, branch, product, b.business_on,
       sum(due) AS due, sum(due_count)::bigint AS due_count, sum(due_collected) AS due_collected, sum(cash) AS cash,
       sum(missed)::bigint AS newly_missed, sum(missed_amount) AS newly_missed_amount,
       sum(rolled)::bigint AS rolled_past_30, sum(rolled_principal) AS rolled_past_30_principal,
       sum(unapplied)::bigint AS unapplied, sum(unapplied_amount) AS unapplied_amount,
       sum(returned)::bigint AS returned, sum(returned_amount) AS returned_amount
FROM named JOIN core.book b USING (book)
GROUP BY book, currency, region, branch, product, b.business_on;

-- How fresh ----------------------------------------------------------------------------------------------------------

-- A day closes while its marker is met slice by slice, and rolls while their loans are brought to the next day.
CREATE VIEW reporting.day_roll_now AS
SELECT b.book, b.business_on, b.replaying, reached.slices AS closing_slices, roll.slices - roll.waiting AS rolled_slices,
       roll.flipped_at,
       CASE WHEN roll.waiting > 0 THEN format('rolling %s/%s', roll.slices - roll.waiting, roll.slices)
            WHEN reached.slices > 0 THEN format('closing %s/16', reached.slices)
            ELSE 'open' END AS day_state
FROM core.book b
CROSS JOIN LATERAL (
    SELECT count(*) AS slices FROM core.day_reached r WHERE r.book_key = b.book_key AND r.business_on >= b.business_on
) reached
CROSS JOIN LATERAL (
    SELECT count(DISTINCT r.slice) AS slices, count(DISTINCT r.slice) FILTER (WHERE r.swept_at IS NULL) AS waiting,
           max(r.flipped_at) AS flipped_at
    FROM core.day_roll r
    WHERE r.book_key = b.book_key
      AND r.business_on >= least(b.business_on - 1, (SELECT min(w.business_on) FROM core.day_roll w
                                                     WHERE w.book_key = b.book_key AND w.swept_at IS NULL))
) roll;

-- "Data as of" is the age of the partition that is furthest behind: a quiet night is fresh, a stalled worker is not.
CREATE VIEW reporting.freshness AS
SELECT d.book, p.topic, d.business_on, d.day_state, d.replaying, p.partitions, p.paused, p.caught_up_at,
       CASE WHEN p.caught_up_at IS NOT NULL
            THEN greatest(extract(epoch FROM now() - p.caught_up_at), 0)::double precision END AS data_age_seconds,
       p.owners, (SELECT count(*) FROM core.outbox) AS outbox_waiting,
       (SELECT count(*) FROM core.restate) AS restating
FROM reporting.day_roll_now d
CROSS JOIN (
    SELECT topic, count(*) AS partitions, count(paused_reason) AS paused, count(DISTINCT owner) AS owners,
           CASE WHEN bool_and(caught_up_at IS NOT NULL) THEN min(caught_up_at) END AS caught_up_at
    FROM core.stream_position GROUP BY topic
) p;

CREATE VIEW reporting.marts_now AS
SELECT mart, refreshed_at, took_ms,
       greatest(extract(epoch FROM now() - refreshed_at), 0)::double precision AS age_seconds
FROM reporting.mart_refresh;

CREATE VIEW reporting.pipeline AS SELECT * FROM reporting.pipeline_minute;

CREATE VIEW reporting.dead_letters_now AS
SELECT topic, partition, kafka_offset, reason, field, octet_length(raw) AS size_bytes, first_seen, replayed_at
FROM core.dead_letter;

-- Who may read ---------------------------------------------------------------------------------------------------------

-- Views run with their owner's rights: writing through one would be a way around the grants of core.
DO $$
DECLARE
    view_name text;
BEGIN
    FOR view_name IN SELECT viewname FROM pg_views WHERE schemaname = 'reporting' LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON reporting.%I FROM mart_writer', view_name);
        EXECUTE format('GRANT SELECT ON reporting.%I TO grafana_ro', view_name);
    END LOOP;
END $$;
