-- Let a book hold these currencies. $1: book key, $2: codes.
INSERT INTO core.book_currency (book_key, currency_key)
SELECT $1, currency_key FROM core.currency WHERE code = ANY ($2::text[])
ON CONFLICT DO NOTHING
