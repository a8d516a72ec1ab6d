-- Sum up the running portfolio by IFRS 9 stage and bucket, with what is set aside: a rate on each loan's principal, rounded half to even.
-- $1: rates in basis points, by bucket; $2: stage 3 from so many days past due; $3: stage 2 over so many.
INSERT INTO reporting.stage_mart (book_key, currency_key, branch_key, product_key, stage, bucket, loans, principal_minor,
    exposure_minor, provision_minor)
SELECT b.book_key, x.currency_key, x.branch_key, x.product_key,
       CASE WHEN x.days_past_due >= $2 THEN 3 WHEN x.days_past_due > $3 OR x.is_eased THEN 2 ELSE 1 END AS stage,
       x.bucket, count(*), sum(x.principal_minor),
       sum(x.principal_minor + greatest(x.overdue_minor - x.overdue_principal_minor, 0)),
       sum(x.principal_minor * r.bps / 10000
           + CASE WHEN x.principal_minor * r.bps % 10000 + x.principal_minor * r.bps / 10000 % 2 > 5000 THEN 1 ELSE 0 END)
FROM core.book b
CROSS JOIN LATERAL core.loans_on(b.book_key, b.business_on, true) x
CROSS JOIN LATERAL (SELECT ($1::bigint[])[x.bucket + 1] AS bps) r
WHERE x.status = 1
GROUP BY b.book_key, x.currency_key, x.branch_key, x.product_key, stage, x.bucket
