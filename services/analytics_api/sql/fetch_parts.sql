-- The names of a book's branches, with their regions, and of its products, by key; key 0 holds what the feed does not say.
-- $1: book key.
SELECT 'branch' AS kind, branch_key AS key, branch AS name, coalesce(region, 'unknown') AS region
FROM core.branch WHERE book_key = $1
UNION ALL
SELECT 'product', product_key, product, NULL FROM core.product WHERE book_key = $1
