-- The business days that closed lately, by book; a day closes in all slices at once.
-- $1 a slice, $2 book keys, $3 how many calendar days to look back from the running business day.
SELECT d.book_key, d.business_on
FROM core.day_roll d
JOIN core.book b USING (book_key)
WHERE d.slice = $1 AND d.book_key = ANY ($2::smallint[]) AND d.business_on >= b.business_on - $3::integer
ORDER BY d.book_key, d.business_on
