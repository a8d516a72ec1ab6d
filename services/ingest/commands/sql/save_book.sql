-- Make a book, or give an existing one its time zone, cut-off and default currency.
-- $1: book, $2: time zone, $3: cut-off, $4: default currency, $5: first business day.
INSERT INTO core.book AS b (book, timezone, closes_at, default_currency, opened_on, business_on)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (book) DO UPDATE
SET timezone = excluded.timezone, closes_at = excluded.closes_at, default_currency = excluded.default_currency
RETURNING book_key, opened_on, business_on
