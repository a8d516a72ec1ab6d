-- Note the day barriers met. $1: book keys, $2: slices, $3: days.
INSERT INTO core.day_reached AS r (book_key, slice, business_on)
SELECT book_key, slice, max(business_on)
FROM unnest($1::smallint[], $2::smallint[], $3::date[]) AS d (book_key, slice, business_on)
GROUP BY book_key, slice
ON CONFLICT (book_key, slice) DO UPDATE
SET business_on = excluded.business_on, reached_at = now()
WHERE r.business_on < excluded.business_on
