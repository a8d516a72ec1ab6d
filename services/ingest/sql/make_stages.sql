-- Temporary stages of a connection, in the shape of their tables; a commit empties them.
CREATE TEMP TABLE IF NOT EXISTS stage_event (LIKE core.event INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_state (LIKE core.loan_state INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;
ALTER TABLE stage_state ALTER COLUMN book_key DROP NOT NULL;
CREATE TEMP TABLE IF NOT EXISTS stage_plan (LIKE core.loan_plan) ON COMMIT DELETE ROWS;
