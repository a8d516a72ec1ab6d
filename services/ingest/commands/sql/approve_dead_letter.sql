-- Approve the very correction that was looked at. $1: cluster id, $2: topic, $3: partition, $4: offset, $5: its bytes, $6: by whom.
UPDATE core.dead_letter
SET approved_by = $6, approved_at = now()
WHERE cluster_id = $1 AND topic = $2 AND partition = $3 AND kafka_offset = $4
  AND corrected = $5 AND corrected_by <> $6 AND replayed_at IS NULL
RETURNING kafka_offset
