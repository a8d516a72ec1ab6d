-- Note who did what. $1: by whom, $2: what, $3: details as JSON.
INSERT INTO core.audit (done_by, what, details) VALUES ($1, $2, $3::text::jsonb)
