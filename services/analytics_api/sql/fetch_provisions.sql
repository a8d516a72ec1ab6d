-- What is set aside by class of lateness: a rate on each loan, rounded half to even.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: the day; $7: live, or at the close of that day; $8: on all that is owed, not the principal; $9: rates in basis points, by bucket.
SELECT x.bucket, count(*) AS loans, sum(x.principal_minor)::bigint AS principal_minor, sum(r.base)::bigint AS base_minor,
       sum(r.base * r.bps / 10000
           + CASE WHEN r.base * r.bps % 10000 + r.base * r.bps / 10000 % 2 > 5000 THEN 1 ELSE 0 END)::bigint AS provision_minor,
       count(*) FILTER (WHERE x.days_past_due > 30) AS par30_loans,
       coalesce(sum(x.principal_minor) FILTER (WHERE x.days_past_due > 30), 0)::bigint AS par30_minor
FROM core.loans_on($1, $6, $7) x
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
CROSS JOIN LATERAL (
    SELECT CASE WHEN $8::boolean THEN x.outstanding_minor ELSE x.principal_minor END AS base, ($9::bigint[])[x.bucket + 1] AS bps
) r
WHERE x.status = 1 AND x.currency_key = $2
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY x.bucket
