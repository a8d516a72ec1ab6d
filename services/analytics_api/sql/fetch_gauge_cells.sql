-- Active loans of the live roll-up by branch, product and bucket, in minor units.
SELECT b.book, c.code AS currency, c.exponent, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product, n.bucket,
       sum(n.loans)::bigint AS loans, sum(n.principal_minor)::bigint AS principal_minor,
       sum(n.overdue_minor)::bigint AS overdue_minor
FROM core.book_now n
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE n.status = 1
GROUP BY b.book, c.code, c.exponent, br.region, br.branch, p.product, n.bucket
