-- How loans moved between the closes of some months, as far as they have been counted, by bucket and place;
-- a pair of closes without a loan has one row, and no bucket.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all; $6: the first day; $7: the last.
SELECT k.opening_on, k.closing_on, m.bucket, m.place, m.loans, m.principal_minor
FROM reporting.roll_mark k
LEFT JOIN (
    SELECT m.opening_on, m.closing_on, m.bucket, m.place, sum(m.loans)::bigint AS loans,
           sum(m.principal_minor)::bigint AS principal_minor
    FROM reporting.roll_mart m
    LEFT JOIN core.branch br USING (branch_key)
    LEFT JOIN core.product p USING (product_key)
    WHERE m.book_key = $1 AND m.currency_key = $2 AND m.closing_on BETWEEN $6::date AND $7::date
      AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
      AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
      AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
    GROUP BY 1, 2, 3, 4
) m USING (opening_on, closing_on)
WHERE k.book_key = $1 AND k.closing_on BETWEEN $6 AND $7
ORDER BY k.closing_on
