-- Sum up closed days that have not been, or that were told anew since, the oldest first.
-- $1: days at most.
WITH closed AS (
    SELECT DISTINCT book_key, business_on FROM core.day_roll
), told AS (
    SELECT book_key, business_on, sum(loans)::bigint AS restated FROM core.restated_day GROUP BY book_key, business_on
), stale AS (
    SELECT closed.book_key, closed.business_on, coalesce(told.restated, 0) AS restated
    FROM closed
    LEFT JOIN told USING (book_key, business_on)
    LEFT JOIN reporting.portfolio_day_mark m USING (book_key, business_on)
    WHERE m.restated IS DISTINCT FROM coalesce(told.restated, 0)
    ORDER BY closed.business_on
    LIMIT $1
), marked AS (
    INSERT INTO reporting.portfolio_day_mark (book_key, business_on, restated)
    SELECT book_key, business_on, restated FROM stale
    ON CONFLICT (book_key, business_on) DO UPDATE SET restated = excluded.restated
)
INSERT INTO reporting.portfolio_day_mart (book_key, business_on, currency_key, branch_key, product_key, loans,
    disbursed_minor, paid_minor, principal_minor, overdue_minor, par0_minor, par30_minor, par60_minor, par90_minor)
SELECT stale.book_key, stale.business_on, d.currency_key, d.branch_key, d.product_key, d.loans, d.disbursed_minor,
       d.paid_minor, d.principal_minor, d.overdue_minor, d.par0_minor, d.par30_minor, d.par60_minor, d.par90_minor
FROM stale
CROSS JOIN LATERAL (
    SELECT x.currency_key, x.branch_key, x.product_key,
           coalesce(sum(x.loans) FILTER (WHERE x.status = 1), 0) AS loans,
           sum(x.disbursed_minor) AS disbursed_minor, sum(x.paid_minor) AS paid_minor,
           coalesce(sum(x.principal_minor) FILTER (WHERE x.status = 1), 0) AS principal_minor,
           coalesce(sum(x.overdue_minor) FILTER (WHERE x.status = 1), 0) AS overdue_minor,
           coalesce(sum(x.principal_minor) FILTER (WHERE x.status = 1 AND x.bucket >= 1), 0) AS par0_minor,
           coalesce(sum(x.principal_minor) FILTER (WHERE x.status = 1 AND x.bucket >= 2), 0) AS par30_minor,
           coalesce(sum(x.principal_minor) FILTER (WHERE x.status = 1 AND x.bucket >= 3), 0) AS par60_minor,
           coalesce(sum(x.principal_minor) FILTER (WHERE x.status = 1 AND x.bucket >= 4), 0) AS par90_minor
    FROM core.book_day x
    WHERE x.book_key = stale.book_key AND x.business_on = stale.business_on
    GROUP BY x.currency_key, x.branch_key, x.product_key
) d
ON CONFLICT (book_key, business_on, currency_key, branch_key, product_key) DO UPDATE
SET loans = excluded.loans, disbursed_minor = excluded.disbursed_minor, paid_minor = excluded.paid_minor,
    principal_minor = excluded.principal_minor, overdue_minor = excluded.overdue_minor,
    par0_minor = excluded.par0_minor, par30_minor = excluded.par30_minor, par60_minor = excluded.par60_minor,
    par90_minor = excluded.par90_minor
