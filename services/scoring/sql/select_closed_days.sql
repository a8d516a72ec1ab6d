-- The business days that closed lately, by book.
-- $1 book keys, $2 how many calendar days to look back from the running business day.
SELECT f.book_key, f.business_on
FROM core.day_flip f
JOIN core.book b USING (book_key)
WHERE f.book_key = ANY ($1::smallint[]) AND f.business_on >= b.business_on - $2::integer
ORDER BY f.book_key, f.business_on
