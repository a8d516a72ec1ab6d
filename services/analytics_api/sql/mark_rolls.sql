-- Note the pairs of month ends whose moves are to be counted: new ones, or told anew since. $1: this moment; $2: older ones may be made again;
-- $3: pairs at most, the newest first.
WITH closes AS (
    SELECT r.book_key, max(r.business_on) AS closing_on
    FROM core.day_roll r JOIN core.book b USING (book_key)
    WHERE r.business_on < date_trunc('month', b.business_on)
    GROUP BY r.book_key, date_trunc('month', r.business_on)
), pairs AS (
    SELECT book_key, lag(closing_on) OVER (PARTITION BY book_key ORDER BY closing_on) AS opening_on, closing_on FROM closes
), told AS (
    SELECT p.book_key, p.opening_on, p.closing_on, coalesce(sum(d.loans), 0)::bigint AS restated
    FROM pairs p
    LEFT JOIN core.restated_day d ON d.book_key = p.book_key AND d.business_on IN (p.opening_on, p.closing_on)
    WHERE p.opening_on IS NOT NULL
    GROUP BY p.book_key, p.opening_on, p.closing_on
)
INSERT INTO reporting.roll_mark (book_key, opening_on, closing_on, restated, made_at)
SELECT t.book_key, t.opening_on, t.closing_on, t.restated, $1::timestamptz
FROM told t
LEFT JOIN reporting.roll_mark m USING (book_key, opening_on, closing_on)
WHERE m.book_key IS NULL OR (m.restated <> t.restated AND m.made_at < $2::timestamptz)
ORDER BY t.closing_on DESC
LIMIT $3
ON CONFLICT (book_key, opening_on, closing_on) DO UPDATE SET restated = excluded.restated, made_at = excluded.made_at
