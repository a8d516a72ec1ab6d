-- Cohorts, how large they are, and when their last loan was paid out.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all.
SELECT c.by_week, c.cohort_on, max(c.youngest_on) AS youngest_on, sum(c.loans)::bigint AS loans,
       sum(c.disbursed_minor)::bigint AS disbursed_minor
FROM reporting.cohort_mart c
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE c.book_key = $1 AND c.currency_key = $2
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY c.by_week, c.cohort_on
ORDER BY c.by_week, c.cohort_on
