-- Books that a request may mean, each with the currency it asks for.
-- $1: book, or null for all; $2: currency code, or null for the book's own.
SELECT b.book_key, b.book, b.business_on, b.opened_on, b.timezone, b.replaying, b.default_currency,
       c.currency_key, c.code AS currency
FROM core.book b
LEFT JOIN core.currency c ON c.code = coalesce($2::text, b.default_currency)
WHERE $1::text IS NULL OR b.book = $1
ORDER BY b.book
