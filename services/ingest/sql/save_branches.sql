-- Branches' names and places. $1: JSON array of branches with book_key.
INSERT INTO core.branch AS b (book_key, branch, name, region, manager)
SELECT DISTINCT ON (book_key, branch) book_key, branch, name, region, manager
FROM jsonb_to_recordset($1::jsonb) AS p (book_key smallint, branch text, name text, region text, manager text, recorded_at timestamptz)
ORDER BY book_key, branch, recorded_at DESC
ON CONFLICT (book_key, branch) DO UPDATE
SET name = excluded.name, region = excluded.region, manager = excluded.manager
