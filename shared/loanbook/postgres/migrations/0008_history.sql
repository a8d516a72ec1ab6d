-- The daily history of every loan, and the list of days to tell anew after a backdated event.

-- One row where a loan's figures changed; it holds until the next. A row is written when the loan
-- leaves the state it had at a close, so the newest state is core.loan_state itself.
-- Read: on_date <= T and known_on <= K, ORDER BY known_on DESC, on_date DESC, the first row.
CREATE TABLE core.loan_day (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    on_date date NOT NULL,
    known_on date NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    bucket smallint NOT NULL,
    status smallint NOT NULL,                       -- as in core.book_now
    past_due_on date,
    loans smallint NOT NULL,
    disbursed_minor bigint NOT NULL,
    paid_minor bigint NOT NULL,
    principal_minor bigint NOT NULL,
    outstanding_minor bigint NOT NULL,
    overdue_minor bigint NOT NULL,
    overdue_principal_minor bigint NOT NULL,
    estimated_loans smallint NOT NULL,
    PRIMARY KEY (slice, loan_key, on_date, known_on)
) PARTITION BY LIST (slice);

DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('CREATE TABLE core.loan_day_%s PARTITION OF core.loan_day FOR VALUES IN (%s)', n, n);
    END LOOP;
END $$;

ALTER TABLE core.restate
    ADD COLUMN known_on date NOT NULL,              -- the business day on which the events came
    DROP CONSTRAINT restate_pkey,
    ADD PRIMARY KEY (slice, loan_key, known_on);

-- Which closed days were told anew, and when: boards mark them.
CREATE TABLE core.restated_day (
    book_key smallint NOT NULL,
    business_on date NOT NULL,
    known_on date NOT NULL,
    loans bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (book_key, business_on, known_on)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON core.loan_day, core.restate, core.restated_day TO ingest_writer;
GRANT SELECT ON core.loan_day, core.restate, core.restated_day TO scoring_writer, mart_writer, analytics_reader;

-- Shares the books' locks and only then reads their days: a statement of its own sees what the wait was for.
CREATE FUNCTION core.share_books(lock_class integer)
RETURNS TABLE (book_key smallint, book text, business_on date)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock_class, b.book_key) FROM core.book b ORDER BY b.book_key;
    RETURN QUERY SELECT b.book_key, b.book, b.business_on FROM core.book b;
END $$;

-- Without day.closed from upstream, the book's cut-off may end its days.
ALTER TABLE core.book ADD COLUMN closes_by_clock boolean NOT NULL DEFAULT false;
