-- Cells of past closes, as known now, that are not the sum of the loans' daily histories.
-- An entry of a history holds from its day until the first day that a later telling speaks of.
-- $1: book key, $2: the days, ascending.
WITH told AS (
    SELECT loan_key, on_date, known_on, currency_key, branch_key, product_key, bucket, status,
           ARRAY[loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor,
                 overdue_principal_minor, estimated_loans]::bigint[] AS m
    FROM core.loan_day
    WHERE book_key = $1
    UNION ALL
    SELECT loan_key, as_of, as_of, currency_key, branch_key, product_key, bucket,
           CASE WHEN status = 1 AND charged_off_on IS NOT NULL THEN 6 ELSE status END,
           ARRAY[1, disbursed_minor, paid_minor, principal_outstanding_minor, total_outstanding_minor,
                 overdue_minor, overdue_principal_minor, estimated::integer]::bigint[]
    FROM core.loan_state
    WHERE book_key = $1
), spans AS (
    SELECT *, min(on_date) OVER (PARTITION BY loan_key ORDER BY known_on DESC, on_date DESC
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
    FROM told
), steps AS (                                           -- what a cell gains and loses, at the next of the days
    SELECT currency_key, branch_key, product_key, bucket, status, width_bucket(step.day - 1, $2::date[]) + 1 AS place,
           sum(step.sign * m[1]) AS m1, sum(step.sign * m[2]) AS m2, sum(step.sign * m[3]) AS m3,
           sum(step.sign * m[4]) AS m4, sum(step.sign * m[5]) AS m5, sum(step.sign * m[6]) AS m6,
           sum(step.sign * m[7]) AS m7, sum(step.sign * m[8]) AS m8
    FROM spans
    CROSS JOIN LATERAL (VALUES (on_date, 1), (until, -1)) AS step (day, sign)
    WHERE step.day IS NOT NULL AND (until IS NULL OR until > on_date)
    GROUP BY 1, 2, 3, 4, 5, 6
), days AS (
    SELECT day, place::integer FROM unnest($2::date[]) WITH ORDINALITY AS d (day, place)
), stored AS (
    SELECT business_on AS day, currency_key, branch_key, product_key, bucket, status,
           ARRAY[sum(loans), sum(disbursed_minor), sum(paid_minor), sum(principal_minor), sum(outstanding_minor),
                 sum(overdue_minor), sum(overdue_principal_minor), sum(estimated_loans)]::bigint[] AS measures
    FROM core.book_day
    WHERE book_key = $1 AND business_on = ANY ($2::date[])
    GROUP BY 1, 2, 3, 4, 5, 6
), cells AS (
    SELECT DISTINCT currency_key, branch_key, product_key, bucket, status FROM steps
), recomputed AS (
    SELECT day, currency_key, branch_key, product_key, bucket, status,
           ARRAY[coalesce(sum(m1) OVER running, 0), coalesce(sum(m2) OVER running, 0), coalesce(sum(m3) OVER running, 0), coalesce(sum(m4) OVER running, 0),
                 coalesce(sum(m5) OVER running, 0), coalesce(sum(m6) OVER running, 0), coalesce(sum(m7) OVER running, 0), coalesce(sum(m8) OVER running, 0)]::bigint[] AS measures
    FROM cells
    CROSS JOIN days
    LEFT JOIN steps USING (currency_key, branch_key, product_key, bucket, status, place)
    WINDOW running AS (PARTITION BY currency_key, branch_key, product_key, bucket, status ORDER BY day)
)
SELECT day AS business_on, $1::smallint AS book_key,
       currency_key, branch_key, product_key, bucket, status,
       coalesce(s.measures, array_fill(0::bigint, ARRAY[8])) AS stored,
       coalesce(r.measures, array_fill(0::bigint, ARRAY[8])) AS recomputed
FROM recomputed r
FULL JOIN stored s USING (day, currency_key, branch_key, product_key, bucket, status)
WHERE coalesce(s.measures, array_fill(0::bigint, ARRAY[8])) <> coalesce(r.measures, array_fill(0::bigint, ARRAY[8]))
ORDER BY 1, 3, 4, 5, 6, 7
