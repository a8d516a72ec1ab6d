-- First payments that were a default, of those where that is known, by cohort or owner.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: cohort, branch, region, product or officer.
SELECT CASE WHEN $6::text = 'cohort' THEN c.by_week END AS by_week,
       CASE $6 WHEN 'cohort' THEN c.cohort_on::text WHEN 'branch' THEN coalesce(br.branch, 'unknown')
               WHEN 'region' THEN coalesce(br.region, 'unknown') WHEN 'product' THEN coalesce(p.product, 'unknown')
               ELSE coalesce(o.officer, 'unknown') END AS label,
       sum(c.loans)::bigint AS loans, sum(c.known_loans)::bigint AS known_loans, sum(c.known_minor)::bigint AS known_minor,
       sum(c.defaulted_loans)::bigint AS defaulted_loans, sum(c.defaulted_minor)::bigint AS defaulted_minor
FROM reporting.cohort_mart c
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
LEFT JOIN core.officer o USING (officer_key)
WHERE c.book_key = $1 AND c.currency_key = $2
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY 1, 2
ORDER BY 1, 2
