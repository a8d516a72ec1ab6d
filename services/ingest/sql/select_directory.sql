-- Every name with its key: books (with the version of their settings), sources, currencies, branches, products, officers.
SELECT 'book' AS kind, NULL::smallint AS book_key, book AS name, book_key::integer AS key, settings_version::text AS settings FROM core.book
UNION ALL SELECT 'source', NULL, uri, source_key, NULL FROM core.source
UNION ALL SELECT 'currency', NULL, code, currency_key, NULL FROM core.currency
UNION ALL SELECT 'branch', book_key, branch, branch_key, NULL FROM core.branch
UNION ALL SELECT 'product', book_key, product, product_key, settings::text FROM core.product
UNION ALL SELECT 'officer', book_key, officer, officer_key, NULL FROM core.officer
