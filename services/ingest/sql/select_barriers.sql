-- Slices whose logs have closed a day that their book has not left yet.
SELECT r.slice, b.book, r.business_on
FROM core.day_reached r
JOIN core.book b USING (book_key)
WHERE r.business_on >= b.business_on
