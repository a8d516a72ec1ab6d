-- Note the month ends at which loans are to be kept: new ones, or told anew since. $1: this moment; $2: older ones may be made again;
-- $3: month ends at most, the newest first.
WITH closes AS (
    SELECT r.book_key, max(r.business_on) AS closing_on
    FROM core.day_roll r JOIN core.book b USING (book_key)
    WHERE r.business_on < date_trunc('month', b.business_on)
    GROUP BY r.book_key, date_trunc('month', r.business_on)
), told AS (
    SELECT c.book_key, c.closing_on, coalesce(sum(d.loans), 0)::bigint AS restated
    FROM closes c
    LEFT JOIN core.restated_day d ON d.book_key = c.book_key AND d.business_on = c.closing_on
    GROUP BY c.book_key, c.closing_on
)
INSERT INTO reporting.loan_month_mark (book_key, closing_on, restated, made_at)
SELECT t.book_key, t.closing_on, t.restated, $1::timestamptz
FROM told t
LEFT JOIN reporting.loan_month_mark m USING (book_key, closing_on)
WHERE m.book_key IS NULL OR (m.restated <> t.restated AND m.made_at < $2::timestamptz)
ORDER BY t.closing_on DESC
LIMIT $3
ON CONFLICT (book_key, closing_on) DO UPDATE SET restated = excluded.restated, made_at = excluded.made_at
