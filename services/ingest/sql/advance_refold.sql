-- Note how far a run has come. $1: run, $2: slice, $3: last loan key, $4: loans, $5: differing, $6: outdated.
UPDATE core.refold_run
SET last_loan_keys[$2::integer + 1] = $3, loans = loans + $4, differing = differing + $5, outdated = outdated + $6,
    updated_at = now()
WHERE run_id = $1
