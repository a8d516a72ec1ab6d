-- How many loans of a book pass a filter that the live roll-up knows, counted there.
-- $1: book key; $2: currency key, or null; $3, $4, $5: regions, branches, products, or null; $6: statuses; $7: buckets.
SELECT coalesce(sum(n.loans), 0)::bigint AS loans
FROM core.book_now n
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE n.book_key = $1 AND ($2::smallint IS NULL OR n.currency_key = $2)
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
  AND ($6::smallint[] IS NULL OR n.status = ANY ($6)) AND ($7::smallint[] IS NULL OR n.bucket = ANY ($7))
