-- Mark the live roll-up at a minute.
-- $1: the minute.
INSERT INTO reporting.book_minute AS m (at, book_key, currency_key, branch_key, business_on, loans, principal_minor,
    overdue_minor, par0_minor, par30_minor, par60_minor, par90_minor)
SELECT $1::timestamptz, n.book_key, n.currency_key, n.branch_key, b.business_on, sum(n.loans), sum(n.principal_minor),
       sum(n.overdue_minor),
       coalesce(sum(n.principal_minor) FILTER (WHERE n.bucket >= 1), 0),
       coalesce(sum(n.principal_minor) FILTER (WHERE n.bucket >= 2), 0),
       coalesce(sum(n.principal_minor) FILTER (WHERE n.bucket >= 3), 0),
       coalesce(sum(n.principal_minor) FILTER (WHERE n.bucket >= 4), 0)
FROM core.book_now n JOIN core.book b USING (book_key)
WHERE n.status = 1
GROUP BY n.book_key, n.currency_key, n.branch_key, b.business_on
ON CONFLICT (at, book_key, currency_key, branch_key) DO UPDATE
SET business_on = excluded.business_on, loans = excluded.loans, principal_minor = excluded.principal_minor,
    overdue_minor = excluded.overdue_minor, par0_minor = excluded.par0_minor, par30_minor = excluded.par30_minor,
    par60_minor = excluded.par60_minor, par90_minor = excluded.par90_minor
