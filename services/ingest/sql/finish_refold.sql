-- A run is done; older ones of the book that never ended are done with it. $1: run, $2: cells of the roll-ups.
UPDATE core.refold_run r
SET finished_at = now(), rollup_cells = CASE WHEN r.run_id = $1 THEN $2::bigint END
FROM core.refold_run done
WHERE done.run_id = $1 AND r.book_key = done.book_key AND r.is_check = done.is_check AND r.run_id <= $1
  AND r.finished_at IS NULL
