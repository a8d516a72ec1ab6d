-- The newest month whose moves are to be counted, its opening being kept: new or longer, told anew, or with its cured loans now watched to the end.
-- $1: days for which cured loans are watched.
WITH closes AS (
    SELECT r.book_key, date_trunc('month', r.business_on)::date AS month, max(r.business_on) AS closing_on
    FROM core.day_roll r JOIN core.book b USING (book_key)
    WHERE r.business_on < b.business_on AND NOT b.replaying
    GROUP BY 1, 2
), pairs AS (
    SELECT book_key, month, lag(closing_on) OVER (PARTITION BY book_key ORDER BY month) AS opening_on, closing_on FROM closes
), wanted AS (
    SELECT p.*, b.book, b.business_on - 1 AS as_of, b.business_on > p.closing_on + $1::integer AS is_watched,
           o.restated + coalesce(c.restated, 0) + (
               SELECT coalesce(sum(d.loans), 0)::bigint FROM core.restated_day d
               WHERE d.book_key = p.book_key AND d.business_on BETWEEN p.closing_on + 1 AND p.closing_on + $1
           ) AS restated
    FROM pairs p
    JOIN core.book b USING (book_key)
    JOIN reporting.loan_month_mark o ON o.book_key = p.book_key AND o.closing_on = p.opening_on
    LEFT JOIN reporting.loan_month_mark c ON c.book_key = p.book_key AND c.closing_on = p.closing_on
)
SELECT w.*
FROM wanted w
LEFT JOIN reporting.move_mark m USING (book_key, month)
WHERE m.month IS NULL OR m.closing_on <> w.closing_on
   OR (m.as_of < w.as_of AND (m.restated <> w.restated OR (w.is_watched AND m.as_of < m.closing_on + $1)))
ORDER BY w.month DESC
LIMIT 1
