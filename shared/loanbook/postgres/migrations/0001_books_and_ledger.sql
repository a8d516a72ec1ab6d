-- Books and their dimensions, and the ledger: the log of record of every event.

CREATE SCHEMA core;
CREATE SCHEMA risk;
CREATE SCHEMA reporting;

CREATE TABLE core.book (
    book_key smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book text COLLATE "C" NOT NULL UNIQUE,
    timezone text NOT NULL DEFAULT 'UTC',
    closes_at time NOT NULL DEFAULT '00:00',        -- cut-off: the day closes at this time of the next day
    default_currency text NOT NULL,
    opened_on date NOT NULL,                        -- the first business day
    business_on date NOT NULL,                      -- the running business day
    replaying boolean NOT NULL DEFAULT false        -- history is loading: episodes open silently
);

CREATE TABLE core.currency (
    currency_key smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text COLLATE "C" NOT NULL UNIQUE,
    exponent smallint NOT NULL
);

CREATE TABLE core.book_currency (
    book_key smallint NOT NULL REFERENCES core.book,
    currency_key smallint NOT NULL REFERENCES core.currency,
    PRIMARY KEY (book_key, currency_key)
);

CREATE TABLE core.source (
    source_key smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uri text COLLATE "C" NOT NULL UNIQUE
);

-- Whose word counts for an event type; without a row every source counts.
CREATE TABLE core.authority (
    book_key smallint NOT NULL REFERENCES core.book,
    type_key smallint NOT NULL,
    source_key smallint NOT NULL REFERENCES core.source,
    PRIMARY KEY (book_key, type_key)
);

CREATE TABLE core.branch (
    branch_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_key smallint NOT NULL REFERENCES core.book,
    branch text COLLATE "C" NOT NULL,
    name text,
    region text,
    manager text,
    UNIQUE (book_key, branch)
);

CREATE TABLE core.product (
    product_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_key smallint NOT NULL REFERENCES core.book,
    product text COLLATE "C" NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}',
    UNIQUE (book_key, product)
);

CREATE TABLE core.officer (
    officer_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_key smallint NOT NULL REFERENCES core.book,
    officer text COLLATE "C" NOT NULL,
    UNIQUE (book_key, officer)
);

-- Erasable, and so never in the ledger.
CREATE TABLE core.borrower (
    book_key smallint NOT NULL REFERENCES core.book,
    borrower_id text COLLATE "C" NOT NULL,
    birth_year smallint,
    gender text,
    employment text,
    education text,
    monthly_income_minor bigint,
    currency text,
    dependents smallint,
    housing text,
    region text,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (book_key, borrower_id)
);

CREATE TABLE core.event (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    source_key smallint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    type_key smallint NOT NULL,
    effective_on date NOT NULL,
    business_on date NOT NULL,
    known_on date NOT NULL,                         -- our business day on receipt
    recorded_at timestamptz NOT NULL,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    sequence bigint,
    amount_minor bigint,
    entity_id text COLLATE "C",
    entity_version integer NOT NULL DEFAULT 1,
    is_copy boolean NOT NULL DEFAULT false,         -- the same fact again under a new id: kept, counts once
    digest bytea NOT NULL,                          -- of type and data: duplicate or conflict?
    detail bytea NOT NULL,                          -- the event's data exactly as it came, unknown fields too
    kafka_partition smallint NOT NULL,
    kafka_offset bigint NOT NULL,
    PRIMARY KEY (slice, loan_key, event_id, source_key)
) PARTITION BY LIST (slice);

CREATE UNIQUE INDEX event_entity ON core.event (slice, loan_key, type_key, entity_id, entity_version, source_key)
    WHERE entity_id IS NOT NULL AND NOT is_copy;
CREATE INDEX event_ingested_at ON core.event USING brin (ingested_at);

CREATE TABLE core.loan (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    book_key smallint NOT NULL,
    loan_id text COLLATE "C" NOT NULL,              -- compared on load: two ids never share a key in silence
    borrower_id text COLLATE "C",
    disbursed_on date,
    annual_rate_bps integer,
    term_days integer,
    PRIMARY KEY (slice, loan_key),
    UNIQUE (book_key, loan_id, slice)
) PARTITION BY LIST (slice);

DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('CREATE TABLE core.event_%s PARTITION OF core.event FOR VALUES IN (%s)', n, n);
        EXECUTE format('CREATE TABLE core.loan_%s PARTITION OF core.loan FOR VALUES IN (%s)', n, n);
        EXECUTE format('ALTER TABLE core.event_%s ALTER COLUMN detail SET STORAGE EXTERNAL', n);
    END LOOP;
END $$;
