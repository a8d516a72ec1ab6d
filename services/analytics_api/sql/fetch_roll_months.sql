-- Moves of loans between the latest month ends that have been counted, added up, by bucket and place.
-- $1: book key; $2: currency key; $3: pairs of month ends at most.
WITH latest AS (
    SELECT r.opening_on, r.closing_on
    FROM reporting.roll_mark r JOIN reporting.loan_month_mark USING (book_key, closing_on)  -- the running month is no whole one
    WHERE book_key = $1 ORDER BY closing_on DESC LIMIT $3
)
SELECT m.bucket, m.place, sum(m.loans)::bigint AS loans,
       (SELECT count(*) FROM latest) AS months, (SELECT min(opening_on) FROM latest) AS first_on,
       (SELECT max(closing_on) FROM latest) AS last_on
FROM latest JOIN reporting.roll_mart m USING (opening_on, closing_on)
WHERE m.book_key = $1 AND m.currency_key = $2
GROUP BY m.bucket, m.place
