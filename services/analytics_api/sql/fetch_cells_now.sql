-- The live roll-up of a book, by what is asked for, bucket and status.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: branch, region, product, or an empty text for the whole book.
SELECT CASE $6::text WHEN 'branch' THEN coalesce(br.branch, 'unknown') WHEN 'region' THEN coalesce(br.region, 'unknown')
                     WHEN 'product' THEN coalesce(p.product, 'unknown') ELSE '' END AS label,
       CASE WHEN $6 = 'branch' THEN coalesce(br.name, br.branch, 'unknown') END AS name,
       CASE WHEN $6 = 'branch' THEN coalesce(br.region, 'unknown') END AS region,
       n.bucket, n.status, sum(n.loans)::bigint AS loans, sum(n.estimated_loans)::bigint AS estimated_loans,
       sum(n.disbursed_minor)::bigint AS disbursed_minor, sum(n.paid_minor)::bigint AS paid_minor,
       sum(n.principal_minor)::bigint AS principal_minor, sum(n.outstanding_minor)::bigint AS outstanding_minor,
       sum(n.overdue_minor)::bigint AS overdue_minor,
       sum(n.overdue_principal_minor)::bigint AS overdue_principal_minor
FROM core.book_now n
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE n.book_key = $1 AND n.currency_key = $2
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY 1, 2, 3, n.bucket, n.status
