-- Make a product or replace its settings. $1: book key, $2: product, $3: settings as JSON.
INSERT INTO core.product (book_key, product, settings)
VALUES ($1, $2, $3::jsonb)
ON CONFLICT (book_key, product) DO UPDATE SET settings = excluded.settings
