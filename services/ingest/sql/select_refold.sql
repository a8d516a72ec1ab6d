-- What a run has done, what it did before it was resumed included. $1: run.
SELECT loans, differing, outdated FROM core.refold_run WHERE run_id = $1
