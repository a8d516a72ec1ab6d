-- The products of a book with their settings. $1: book.
SELECT p.product, p.settings::text AS settings
FROM core.product p
JOIN core.book b USING (book_key)
WHERE b.book = $1
