-- What operators look at: upstream's latest statement of each loan beside our figures, stale loans, where every event went.

CREATE INDEX event_statement_taken ON core.event (ingested_at) WHERE type_key = 17;   -- the refresh asks for the newest
CREATE INDEX loan_state_quarantined ON core.loan_state (slice, loan_key) WHERE quarantine IS NOT NULL;

-- Upstream's latest loan.snapshot of each loan, and our fold at its day from what upstream had booked by then. Minor units.
CREATE TABLE reporting.statement (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    source_key smallint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    stated_on date NOT NULL,                        -- the close that it speaks of
    booked_on date NOT NULL,                        -- upstream's business day when it was made
    compared_at timestamptz,                        -- null: waits to be compared
    stated_status text,                             -- what upstream does not state is null
    stated_principal_minor bigint,
    stated_overdue_minor bigint,
    stated_days_past_due integer,
    our_status text,
    our_principal_minor bigint,
    our_overdue_minor bigint,
    our_days_past_due integer,
    differs_in text[] NOT NULL DEFAULT '{}',        -- of the last comparison
    drifts boolean GENERATED ALWAYS AS (differs_in <> '{}') STORED,
    principal_drift_minor bigint GENERATED ALWAYS AS (abs(our_principal_minor - stated_principal_minor)) STORED,
    PRIMARY KEY (slice, loan_key)
);
CREATE INDEX statement_waiting ON reporting.statement (compared_at NULLS FIRST);
CREATE INDEX statement_drifting ON reporting.statement (book_key, currency_key, principal_drift_minor DESC NULLS LAST)
    WHERE drifts;

-- Statements summed up each minute. Running: active, charged off, or overpaid.
CREATE TABLE reporting.reconciliation_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    stated bigint NOT NULL,                         -- loans with a statement
    waiting bigint NOT NULL,                        -- of these, still to be compared
    drifting bigint NOT NULL,
    drifting_status bigint NOT NULL,
    drifting_principal bigint NOT NULL,
    drifting_overdue bigint NOT NULL,
    drifting_days_past_due bigint NOT NULL,
    drift_minor bigint NOT NULL,                    -- of principal, without signs
    drift_minor_max bigint NOT NULL,
    running bigint NOT NULL,
    running_stated bigint NOT NULL,
    oldest_stated_on date,                          -- of running loans
    newest_stated_on date,
    oldest_unconfirmed_on date,                     -- of running loans: their statement's day, else their first disbursement
    PRIMARY KEY (book_key, currency_key, branch_key, product_key)
);

-- Active loans whose figures nobody vouches for, each under its first reason: README of analytics_api.
CREATE TABLE reporting.stale_mart (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    bucket smallint NOT NULL,
    reason text NOT NULL,                           -- not_rolled, drifting, unheard
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, branch_key, product_key, bucket, reason)
);

-- Reconciliation ----------------------------------------------------------------------------------------------------

CREATE VIEW reporting.reconciliation AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, b.business_on, m.stated, m.waiting, m.drifting, m.drifting_status,
       m.drifting_principal, m.drifting_overdue, m.drifting_days_past_due,
       reporting.major(m.drift_minor, c.exponent) AS drift, reporting.major(m.drift_minor_max, c.exponent) AS drift_max,
       m.running, m.running - m.running_stated AS never_confirmed, m.oldest_stated_on, m.newest_stated_on,
       m.oldest_unconfirmed_on, b.business_on - m.oldest_unconfirmed_on AS oldest_unconfirmed_days
FROM reporting.reconciliation_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

-- The hundred loans of each currency that drift most.
CREATE VIEW reporting.loan_drift AS
SELECT b.book, l.loan_id, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product, st.stated_on,
       b.business_on - st.stated_on AS age_days, array_to_string(st.differs_in, ', ') AS differs_in,
       reporting.major(st.stated_principal_minor, c.exponent) AS stated_principal,
       reporting.major(st.our_principal_minor, c.exponent) AS our_principal,
       reporting.major(st.our_principal_minor - st.stated_principal_minor, c.exponent) AS principal_difference,
       reporting.major(st.stated_overdue_minor, c.exponent) AS stated_overdue,
       reporting.major(st.our_overdue_minor, c.exponent) AS our_overdue, st.stated_days_past_due, st.our_days_past_due,
       st.stated_status, st.our_status
FROM core.book b
CROSS JOIN core.currency c
CROSS JOIN LATERAL (
    SELECT * FROM reporting.statement d
    WHERE d.book_key = b.book_key AND d.currency_key = c.currency_key AND d.drifts
    ORDER BY d.principal_drift_minor DESC NULLS LAST
    LIMIT 100
) st
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product p ON p.product_key = s.product_key;

CREATE VIEW reporting.stale_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region, coalesce(br.branch, 'unknown') AS branch,
       coalesce(p.product, 'unknown') AS product, reporting.bucket_name(m.bucket) AS bucket, m.bucket AS bucket_order,
       m.reason, m.loans, reporting.major(m.principal_minor, c.exponent) AS principal
FROM reporting.stale_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

-- The bucket split in which stale loans are a bucket of their own: it sums to the outstanding principal.
CREATE VIEW reporting.bucket_split AS
SELECT book, currency, region, branch, product, bucket, bucket_order, loans, principal
FROM reporting.portfolio_cells WHERE counts
UNION ALL
SELECT book, currency, region, branch, product, bucket, bucket_order, -loans, -principal FROM reporting.stale_now
UNION ALL
SELECT book, currency, region, branch, product, 'stale', 5::smallint, loans, principal FROM reporting.stale_now;

-- Events --------------------------------------------------------------------------------------------------------------

-- received = applied + unapplied + quarantined + duplicates + dead + other; what is missing of it is a fault.
CREATE VIEW reporting.event_fates AS
SELECT counted.received, counted.taken - waiting.unapplied - waiting.quarantined AS applied, waiting.unapplied,
       waiting.quarantined, counted.duplicates, counted.dead, counted.other,
       counted.received - counted.taken - counted.duplicates - counted.dead - counted.other AS missing
FROM (
    SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(taken), 0)::bigint AS taken,
           coalesce(sum(duplicates), 0)::bigint AS duplicates, coalesce(sum(dead), 0)::bigint AS dead,
           coalesce(sum(other), 0)::bigint AS other
    FROM core.stream_position
) counted
CROSS JOIN (
    SELECT (SELECT count(*) FROM core.unapplied) AS unapplied,
           (SELECT count(*) FROM core.loan_state s JOIN core.event e USING (slice, loan_key)
            WHERE s.quarantine IS NOT NULL) AS quarantined
) waiting;

CREATE VIEW reporting.quarantined_loans AS
SELECT b.book, l.loan_id, s.quarantine AS reason, s.changed_at,
       (SELECT count(*) FROM core.event e WHERE e.slice = s.slice AND e.loan_key = s.loan_key) AS events
FROM core.loan_state s
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b ON b.book_key = s.book_key
WHERE s.quarantine IS NOT NULL;

CREATE VIEW reporting.partitions_now AS
SELECT topic, partition, next_offset, caught_up_at, paused_reason, owner, updated_at,
       CASE WHEN caught_up_at IS NOT NULL
            THEN greatest(extract(epoch FROM now() - caught_up_at), 0)::double precision END AS data_age_seconds
FROM core.stream_position;

CREATE OR REPLACE VIEW reporting.dead_letters_now AS
SELECT topic, partition, kafka_offset, reason, field, octet_length(raw) AS size_bytes, first_seen, replayed_at,
       corrected_at, approved_at
FROM core.dead_letter;

-- Loans whose past days wait to be told anew, by book and the day they are told from.
CREATE VIEW reporting.restating AS
SELECT b.book, r.from_on, count(*) AS loans
FROM core.restate r
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b USING (book_key)
GROUP BY b.book, r.from_on;

DO $$
DECLARE
    view_name text;
BEGIN
    FOREACH view_name IN ARRAY ARRAY['reconciliation', 'loan_drift', 'stale_now', 'bucket_split', 'event_fates',
                                     'quarantined_loans', 'partitions_now', 'restating'] LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON reporting.%I FROM mart_writer', view_name);
        EXECUTE format('GRANT SELECT ON reporting.%I TO grafana_ro', view_name);
    END LOOP;
END $$;
