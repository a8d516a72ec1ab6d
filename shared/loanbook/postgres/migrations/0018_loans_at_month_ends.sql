-- Every loan as it stood at the last close of each month, so that moves between month ends need no daily history.

-- As known now. Status as in core.book_now: 6 is active and charged off.
CREATE TABLE reporting.loan_month (
    book_key smallint NOT NULL,
    closing_on date NOT NULL,                       -- the last close of the month
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    bucket smallint NOT NULL,
    status smallint NOT NULL,
    days_past_due integer NOT NULL,
    principal_minor bigint NOT NULL,
    PRIMARY KEY (book_key, closing_on, slice, loan_key)
);

-- The month ends that are kept, and how many loans of the day had been told anew by then.
CREATE TABLE reporting.loan_month_mark (
    book_key smallint NOT NULL,
    closing_on date NOT NULL,
    restated bigint NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (book_key, closing_on)
);

-- Moves are counted for the running month as well, up to its last close; counted again when a month end was kept anew.
ALTER TABLE reporting.roll_mark DROP COLUMN restated;

DROP FUNCTION core.loans_at;
