-- Make a book, or give an existing one its time zone, cut-off and default currency.
-- $1: book, $2: time zone, $3: cut-off, $4: default currency, $5: first business day, $6: does the clock end its days?
INSERT INTO core.book AS b (book, timezone, closes_at, default_currency, opened_on, business_on, closes_by_clock)
VALUES ($1, $2, $3, $4, $5, $5, $6)
ON CONFLICT (book) DO UPDATE
SET timezone = excluded.timezone, closes_at = excluded.closes_at, default_currency = excluded.default_currency,
    closes_by_clock = excluded.closes_by_clock
RETURNING book_key, opened_on, business_on
