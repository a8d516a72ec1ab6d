-- Count how loans moved between two closes, by bucket and place. $1: the moment the pairs of closes are marked with.
WITH closes AS (
    SELECT k.book_key, k.opening_on, k.closing_on, c.book_key IS NOT NULL AS is_kept
    FROM reporting.roll_mark k
    LEFT JOIN reporting.loan_month_mark c ON c.book_key = k.book_key AND c.closing_on = k.closing_on
    WHERE k.made_at = $1
), stood AS (
    SELECT k.book_key, k.opening_on, k.closing_on, s.slice, s.loan_key, s.bucket, s.status
    FROM closes k
    JOIN reporting.loan_month s ON s.book_key = k.book_key AND s.closing_on = k.closing_on
    WHERE k.is_kept
    UNION ALL
    SELECT k.book_key, k.opening_on, k.closing_on, s.slice, s.loan_key, s.bucket, s.status
    FROM closes k
    CROSS JOIN LATERAL core.loans_on(k.book_key, k.closing_on, false) s
    WHERE NOT k.is_kept AND s.status NOT IN (0, 5)
)
INSERT INTO reporting.roll_mart (book_key, currency_key, branch_key, product_key, opening_on, closing_on, bucket, place, loans,
    principal_minor)
SELECT s.book_key, o.currency_key, o.branch_key, o.product_key, s.opening_on, s.closing_on, o.bucket,
       CASE s.status WHEN 1 THEN s.bucket WHEN 2 THEN 5 WHEN 3 THEN 5 WHEN 6 THEN 6 WHEN 4 THEN 7 END AS place,
       count(*), sum(o.principal_minor)
FROM stood s
JOIN reporting.loan_month o ON o.book_key = s.book_key AND o.closing_on = s.opening_on AND o.slice = s.slice AND o.loan_key = s.loan_key
WHERE o.status = 1
GROUP BY s.book_key, o.currency_key, o.branch_key, o.product_key, s.opening_on, s.closing_on, o.bucket, place
