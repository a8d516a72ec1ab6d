-- How loans moved between two closes, for several pairs of closes: principal at the opening, and loans, by bucket and place.
-- $1: book key; $2: currency key; $3: opening days; $4: closing days, one for each opening.
WITH pairs AS (
    SELECT * FROM unnest($3::date[], $4::date[]) AS p (opening_on, closing_on)
), stood AS MATERIALIZED (
    SELECT business_on, slice, loan_key, currency_key, principal_minor,
           CASE status WHEN 1 THEN bucket WHEN 2 THEN 5 WHEN 3 THEN 5 WHEN 6 THEN 6 WHEN 4 THEN 7 END AS place
    FROM core.loans_at($1, (SELECT array_agg(DISTINCT day) FROM unnest($3::date[] || $4::date[]) AS d (day)))
)
SELECT p.opening_on, p.closing_on, o.place AS bucket, c.place,
       count(*) AS loans, sum(o.principal_minor)::bigint AS principal_minor
FROM pairs p
JOIN stood o ON o.business_on = p.opening_on AND o.place < 5 AND o.currency_key = $2
JOIN stood c ON c.business_on = p.closing_on AND c.slice = o.slice AND c.loan_key = o.loan_key AND c.place IS NOT NULL
GROUP BY 1, 2, 3, 4
