-- Principal outstanding summed over the closes of each month, and how many closes the book had in it.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: branch, region, product, or an empty text for the whole; $7: the first day; $8: the last.
WITH closes AS (
    SELECT date_trunc('month', business_on)::date AS month, count(*)::integer AS closes
    FROM reporting.portfolio_day_mark
    WHERE book_key = $1 AND business_on BETWEEN $7::date AND $8::date
    GROUP BY 1
), stood AS (
    SELECT CASE $6::text WHEN 'branch' THEN coalesce(br.branch, 'unknown') WHEN 'region' THEN coalesce(br.region, 'unknown')
                         WHEN 'product' THEN coalesce(p.product, 'unknown') ELSE '' END AS label,
           date_trunc('month', d.business_on)::date AS month, sum(d.principal_minor)::bigint AS principal_minor
    FROM reporting.portfolio_day_mart d
    LEFT JOIN core.branch br USING (branch_key)
    LEFT JOIN core.product p USING (product_key)
    WHERE d.book_key = $1 AND d.currency_key = $2 AND d.business_on BETWEEN $7 AND $8
      AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
      AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
      AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
    GROUP BY 1, 2
)
SELECT stood.label, month, stood.principal_minor, closes.closes
FROM stood JOIN closes USING (month)
