-- Note who looks after an open episode; the first to do so stays, unless it is the same person again.
-- $1: episode id; $2: by; $3: note, or null; $4: useful, or null; $5: now.
UPDATE risk.alert_episode
SET state = CASE WHEN state = 'open' THEN 'acknowledged' ELSE state END,
    acknowledged_by = $2,
    acknowledged_at = coalesce(acknowledged_at, $5),
    acknowledge_note = coalesce($3::text, acknowledge_note),
    useful = coalesce($4::boolean, useful)
WHERE episode_id = $1
  AND (acknowledged_by IS NULL OR acknowledged_by = $2)
  AND (state NOT IN ('resolved', 'withdrawn') OR $4::boolean IS NOT NULL)
RETURNING episode_id
