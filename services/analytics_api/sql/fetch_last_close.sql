-- The latest day on or before a day that a book has closed; each slice is asked for its own, which its key answers.
-- $1: book key; $2: the day.
SELECT max(last.business_on) AS business_on
FROM generate_series(0, 15) AS slices (slice)
CROSS JOIN LATERAL (
    SELECT d.business_on FROM core.book_day d
    WHERE d.slice = slices.slice AND d.book_key = $1 AND d.business_on <= $2::date
    ORDER BY d.business_on DESC
    LIMIT 1
) last
