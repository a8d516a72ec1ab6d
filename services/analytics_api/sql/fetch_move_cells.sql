-- Moves by month: where loans stood at the opening and came to stand, and what became of the late ones.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: branch, region, product, or an empty text for the whole; $7: the first month; $8: the last.
SELECT CASE $6::text WHEN 'branch' THEN coalesce(br.branch, 'unknown') WHEN 'region' THEN coalesce(br.region, 'unknown')
                     WHEN 'product' THEN coalesce(p.product, 'unknown') ELSE '' END AS label,
       c.month, c.bucket, c.missed, c.place, c.outcome, sum(c.loans)::bigint AS loans,
       sum(c.principal_minor)::bigint AS principal_minor, sum(c.relapsed_loans)::bigint AS relapsed_loans,
       sum(c.relapsed_minor)::bigint AS relapsed_minor
FROM reporting.move_mart c
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE c.book_key = $1 AND c.currency_key = $2 AND c.month BETWEEN $7::date AND $8::date
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY 1, 2, 3, 4, 5, 6
