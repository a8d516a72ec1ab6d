-- Count how loans moved between month ends, by bucket and place. $1: the moment the pairs of closes are marked with.
WITH days AS (
    SELECT k.book_key, array_agg(DISTINCT d.day) AS closes
    FROM reporting.roll_mark k
    CROSS JOIN LATERAL (VALUES (k.opening_on), (k.closing_on)) AS d (day)
    WHERE k.made_at = $1
    GROUP BY k.book_key
), stood AS MATERIALIZED (
    SELECT days.book_key, a.business_on, a.slice, a.loan_key, a.currency_key, a.principal_minor,
           CASE a.status WHEN 1 THEN a.bucket WHEN 2 THEN 5 WHEN 3 THEN 5 WHEN 6 THEN 6 WHEN 4 THEN 7 END AS place
    FROM days
    CROSS JOIN LATERAL core.loans_at(days.book_key, days.closes) a
)
INSERT INTO reporting.roll_mart (book_key, currency_key, opening_on, closing_on, bucket, place, loans, principal_minor)
SELECT k.book_key, o.currency_key, k.opening_on, k.closing_on, o.place, c.place, count(*), sum(o.principal_minor)
FROM reporting.roll_mark k
JOIN stood o ON o.book_key = k.book_key AND o.business_on = k.opening_on AND o.place < 5
JOIN stood c ON c.business_on = k.closing_on AND c.slice = o.slice AND c.loan_key = o.loan_key AND c.place IS NOT NULL
WHERE k.made_at = $1
GROUP BY k.book_key, o.currency_key, k.opening_on, k.closing_on, o.place, c.place
