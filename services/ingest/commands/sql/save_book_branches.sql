-- Make branches or replace what they are called. $1: book key, $2: branches, $3: names, $4: regions, $5: managers.
INSERT INTO core.branch (book_key, branch, name, region, manager)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (book_key, branch) DO UPDATE
SET name = excluded.name, region = excluded.region, manager = excluded.manager
