-- The unfinished run of this kind, or a new one. $1: book key, $2: fold version, $3: only a check, $4: start anew.
WITH unfinished AS (
    SELECT run_id, last_slice, last_loan_key, loans, differing, outdated, started_at
    FROM core.refold_run
    WHERE book_key = $1 AND fold_version = $2 AND is_check = $3 AND finished_at IS NULL AND NOT $4::boolean
    ORDER BY run_id DESC
    LIMIT 1
), made AS (
    INSERT INTO core.refold_run (book_key, fold_version, is_check)
    SELECT $1, $2, $3
    WHERE NOT EXISTS (SELECT 1 FROM unfinished)
    RETURNING run_id, last_slice, last_loan_key, loans, differing, outdated, started_at
)
SELECT * FROM unfinished UNION ALL SELECT * FROM made
