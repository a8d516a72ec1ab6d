-- Sums of what was tallied, by month and measure, for a book or for each of its parts, at the last close.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: branch, region, product, or an empty text for the whole; $7: the first month; $8: the last.
SELECT CASE $6::text WHEN 'branch' THEN coalesce(br.branch, 'unknown') WHEN 'region' THEN coalesce(br.region, 'unknown')
                     WHEN 'product' THEN coalesce(p.product, 'unknown') ELSE '' END AS label,
       t.month, t.measure, sum(t.items)::bigint AS items, sum(t.total)::bigint AS total
FROM reporting.tally_month_mart t
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE t.book_key = $1 AND t.currency_key = $2 AND t.month BETWEEN $7::date AND $8::date
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY 1, 2, 3
