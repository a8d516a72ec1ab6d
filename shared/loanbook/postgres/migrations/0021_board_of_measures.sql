-- What the board of measures reads: moves, cures, vintages and sums of months by part of the book, and stages each minute.

-- Moves as before, by the part of the book in which a loan stood at the opening; the refresh counts them again.
DROP TABLE reporting.roll_mart;
DELETE FROM reporting.roll_mark;
CREATE TABLE reporting.roll_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    opening_on date NOT NULL,
    closing_on date NOT NULL,
    bucket smallint NOT NULL,                       -- at the opening
    place smallint NOT NULL,                        -- at the close: a bucket, 5 closed, 6 charged off, 7 written off
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, opening_on, closing_on, bucket, place, branch_key, product_key)
);

-- The running portfolio by IFRS 9 stage and bucket, with what is set aside for it at the rates of the settings.
CREATE TABLE reporting.stage_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    stage smallint NOT NULL,
    bucket smallint NOT NULL,
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    exposure_minor bigint NOT NULL,
    provision_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, stage, bucket, branch_key, product_key)
);

CREATE FUNCTION reporting.place_name(place smallint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (ARRAY['current', '1-30', '31-60', '61-90', '91+', 'closed', 'charged_off', 'written_off'])[place + 1];

CREATE VIEW reporting.roll_month AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, date_trunc('month', m.closing_on)::date AS month, m.opening_on, m.closing_on,
       m.closing_on >= date_trunc('month', b.business_on) AS to_date, reporting.bucket_name(m.bucket) AS bucket,
       m.bucket AS bucket_order, reporting.place_name(m.place) AS place, m.place AS place_order, m.loans,
       reporting.major(m.principal_minor, c.exponent) AS principal
FROM reporting.roll_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

-- Late loans of a month's opening and what became of them; outcomes as in analytics_api.flow.moves.
CREATE VIEW reporting.cure_month AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, m.month, m.month >= date_trunc('month', b.business_on) AS to_date,
       reporting.bucket_name(m.bucket) AS bucket, m.bucket AS bucket_order,
       (ARRAY['late', 'cured', 'eased', 'forgiven', 'written_off'])[m.outcome + 1] AS outcome, m.loans,
       reporting.major(m.principal_minor, c.exponent) AS principal, m.relapsed_loans,
       reporting.major(m.relapsed_minor, c.exponent) AS relapsed_principal
FROM reporting.move_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE m.bucket > 0;

-- The sums of reporting.tally_day by month, up to the last close; an installment not met 30 days after its due day is missed here.
CREATE TABLE reporting.tally_month_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    month date NOT NULL,
    measure smallint NOT NULL,
    items bigint NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, month, measure, branch_key, product_key)
);
ALTER TABLE reporting.tally_mark ADD COLUMN summed_on date;    -- the close for which months were last summed up

-- A measure to a row; of delays the amount is in days.
CREATE VIEW reporting.tally_month AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, t.month, t.month >= date_trunc('month', b.business_on) AS to_date,
       (ARRAY['loans', 'due', 'collected', 'cash', 'on_time', 'late', 'missed', 'open', 'delay', 'delay_late', 'lost',
              'written_off', 'recovered'])[t.measure] AS measure,
       t.items, CASE WHEN t.measure IN (9, 10) THEN t.total ELSE reporting.major(t.total, c.exponent) END AS amount
FROM reporting.tally_month_mart t
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

-- Monthly cohorts, and those of their loans that were ever late, by the age at which they first were; ages only up to that of the
-- cohort's youngest loan at the last close are whole.
CREATE VIEW reporting.vintage_cohort AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, m.by_week, m.cohort_on, m.youngest_on, k.closed_on, m.loans,
       reporting.major(m.disbursed_minor, c.exponent) AS disbursed, m.known_loans, m.defaulted_loans
FROM reporting.cohort_mart m
JOIN reporting.cohort_mark k USING (book_key)
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

CREATE VIEW reporting.vintage_late AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, m.by_week, m.cohort_on, m.over_days, m.age, m.loans,
       reporting.major(m.disbursed_minor, c.exponent) AS disbursed
FROM reporting.vintage_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

CREATE VIEW reporting.stage_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, m.stage, reporting.bucket_name(m.bucket) AS bucket, m.bucket AS bucket_order,
       m.loans, reporting.major(m.principal_minor, c.exponent) AS principal,
       reporting.major(m.exposure_minor, c.exponent) AS exposure, reporting.major(m.provision_minor, c.exponent) AS provision
FROM reporting.stage_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

DO $$
DECLARE
    view_name text;
BEGIN
    FOREACH view_name IN ARRAY ARRAY['roll_month', 'cure_month', 'tally_month', 'vintage_cohort', 'vintage_late', 'stage_now'] LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON reporting.%I FROM mart_writer', view_name);
        EXECUTE format('GRANT SELECT ON reporting.%I TO grafana_ro', view_name);
    END LOOP;
END $$;
