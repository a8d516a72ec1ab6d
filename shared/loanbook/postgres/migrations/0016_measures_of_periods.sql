-- What each loan adds to the measures of collection, punctuality and losses, by day, and the sums: made after each close.

-- One row a loan, from a fold at the last close; the arrays run side by side.
CREATE TABLE reporting.loan_tally (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    version bigint NOT NULL,                        -- of core.loan_state when it was folded
    as_of date NOT NULL,                            -- the close it was folded at
    day date[] NOT NULL,
    measure smallint[] NOT NULL,                    -- analytics_api.flow.tallies.Measure
    items bigint[] NOT NULL,
    total bigint[] NOT NULL,                        -- minor units, or days for delays
    PRIMARY KEY (slice, loan_key)
);

-- The sums of all loans, kept by difference whenever a loan is folded anew.
CREATE TABLE reporting.tally_day (
    book_key smallint NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    day date NOT NULL,
    measure smallint NOT NULL,
    items bigint NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, day, measure, branch_key, product_key)
);

-- The close that the sums of a book stand for, and the loans whose part in them is still an older one.
CREATE TABLE reporting.tally_mark (
    book_key smallint PRIMARY KEY,
    as_of date NOT NULL,
    waiting_loans bigint NOT NULL
);

-- Which moves between month ends have been counted, and as of which close.
CREATE TABLE reporting.move_mark (
    book_key smallint NOT NULL,
    month date NOT NULL,
    opening_on date NOT NULL,                       -- the last close before the month
    closing_on date NOT NULL,                       -- the last close in it
    as_of date NOT NULL,
    restated bigint NOT NULL,                       -- loans of the days looked at that had been told anew by then
    PRIMARY KEY (book_key, month)
);

-- Loans of the portfolio at the opening by where they stood then and at the close; late ones, whether they were cured.
CREATE TABLE reporting.move_mart (
    book_key smallint NOT NULL,
    month date NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,                    -- at the opening, as all but place and outcome
    product_key integer NOT NULL,
    bucket smallint NOT NULL,
    missed smallint NOT NULL,                       -- installments; 4 is 4 or more
    place smallint NOT NULL,                        -- at the close: missed, or 5 closed, 6 charged off, 7 written off
    outcome smallint NOT NULL,                      -- analytics_api.flow.moves.Outcome
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    relapsed_loans bigint NOT NULL,                 -- cured ones that were late again within 90 days
    relapsed_minor bigint NOT NULL,
    PRIMARY KEY (book_key, currency_key, month, bucket, missed, place, outcome, branch_key, product_key)
);
