-- Sums of what was tallied, by month and measure, for a book or for each of its parts.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: branch, region, product, or an empty text for the whole; $7: the first day; $8: the last;
-- $9: the close that the tallies stand for.
SELECT CASE $6::text WHEN 'branch' THEN coalesce(br.branch, 'unknown') WHEN 'region' THEN coalesce(br.region, 'unknown')
                     WHEN 'product' THEN coalesce(p.product, 'unknown') ELSE '' END AS label,
       date_trunc('month', t.day)::date AS month,
       -- 8, not met, is 7, missed, once 30 days have passed
       CASE WHEN t.measure = 8 AND t.day < $9::date - 30 THEN 7 ELSE t.measure END AS measure,
       sum(t.items)::bigint AS items, sum(t.total)::bigint AS total
FROM reporting.tally_day t
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE t.book_key = $1 AND t.currency_key = $2 AND t.day BETWEEN $7::date AND $8::date
  AND (t.measure NOT BETWEEN 5 AND 8 OR t.day < $9)  -- how it went is asked once its due day is over
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY 1, 2, 3
