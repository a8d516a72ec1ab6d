-- One book with its days. $1: book.
SELECT book_key, book, timezone, closes_at, default_currency, opened_on, business_on, replaying
FROM core.book
WHERE book = $1
