-- Note the pairs of closes whose moves are to be counted: month ends kept since, and the running month when a day has closed.
-- $1: this moment.
WITH running AS (
    SELECT b.book_key, b.business_on, max(r.business_on) AS closing_on
    FROM core.book b JOIN core.day_roll r USING (book_key)
    WHERE NOT b.replaying AND r.business_on >= date_trunc('month', b.business_on) AND r.business_on < b.business_on
    GROUP BY b.book_key
), closes AS (
    SELECT book_key, closing_on, made_at FROM reporting.loan_month_mark
    UNION ALL
    SELECT book_key, closing_on, NULL FROM running
), pairs AS (
    SELECT book_key, lag(closing_on) OVER w AS opening_on, closing_on, greatest(lag(made_at) OVER w, made_at) AS kept_at
    FROM closes
    WINDOW w AS (PARTITION BY book_key ORDER BY closing_on)
)
INSERT INTO reporting.roll_mark (book_key, opening_on, closing_on, made_at)
SELECT p.book_key, p.opening_on, p.closing_on, $1::timestamptz
FROM pairs p
LEFT JOIN reporting.roll_mark m USING (book_key, opening_on, closing_on)
WHERE p.opening_on IS NOT NULL AND (m.book_key IS NULL OR m.made_at < p.kept_at)
ON CONFLICT (book_key, opening_on, closing_on) DO UPDATE SET made_at = excluded.made_at
