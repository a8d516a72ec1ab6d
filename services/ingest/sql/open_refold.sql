-- The unfinished run of this kind, or a new one, and whether such runs have changed loans since the roll-ups were settled.
-- $1: book key, $2: fold version, $3: only a check, $4: start anew.
WITH left_over AS (
    SELECT run_id, fold_version, is_check, last_loan_keys, differing + outdated > 0 AND NOT is_check AS has_changed
    FROM core.refold_run
    WHERE book_key = $1 AND finished_at IS NULL
), unfinished AS (
    SELECT run_id, last_loan_keys
    FROM left_over
    WHERE fold_version = $2 AND is_check = $3 AND NOT $4::boolean
    ORDER BY run_id DESC
    LIMIT 1
), made AS (
    INSERT INTO core.refold_run (book_key, fold_version, is_check)
    SELECT $1, $2, $3
    WHERE NOT EXISTS (SELECT 1 FROM unfinished)
    RETURNING run_id, last_loan_keys
)
SELECT run.*, EXISTS (SELECT FROM left_over WHERE has_changed) AS is_unsettled
FROM (SELECT * FROM unfinished UNION ALL SELECT * FROM made) run
