-- Loans of each cohort by the age at which they had for the first time been late for so long.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all; $6: days.
SELECT v.by_week, v.cohort_on, v.age, sum(v.loans)::bigint AS loans, sum(v.disbursed_minor)::bigint AS disbursed_minor
FROM reporting.vintage_mart v
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE v.book_key = $1 AND v.currency_key = $2 AND v.over_days = $6
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY v.by_week, v.cohort_on, v.age
