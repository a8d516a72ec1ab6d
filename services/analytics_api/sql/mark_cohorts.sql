-- Note which books' cohorts are to be made again: a day has closed, or days were told anew. $1: this moment; $2: older ones may be made again.
WITH closed AS (
    SELECT b.book_key, b.replaying, max(r.business_on) AS closed_on
    FROM core.book b JOIN core.day_roll r USING (book_key)
    GROUP BY b.book_key
), told AS (
    SELECT book_key, sum(loans)::bigint AS restated FROM core.restated_day GROUP BY book_key
)
INSERT INTO reporting.cohort_mark (book_key, closed_on, restated, made_at)
SELECT c.book_key, c.closed_on, coalesce(t.restated, 0), $1::timestamptz
FROM closed c
LEFT JOIN told t USING (book_key)
LEFT JOIN reporting.cohort_mark m USING (book_key)
WHERE m.book_key IS NULL
   OR (m.closed_on <> c.closed_on AND (NOT c.replaying OR m.made_at < $2::timestamptz))
   OR (m.restated <> coalesce(t.restated, 0) AND m.made_at < $2)
ON CONFLICT (book_key) DO UPDATE
SET closed_on = excluded.closed_on, restated = excluded.restated, made_at = excluded.made_at
