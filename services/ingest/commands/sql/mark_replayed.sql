-- The approved correction was sent again. $1: cluster id, $2: topic, $3: partition, $4: offset, $5: its bytes.
UPDATE core.dead_letter
SET replayed_at = now()
WHERE cluster_id = $1 AND topic = $2 AND partition = $3 AND kafka_offset = $4
  AND corrected = $5 AND approved_by IS NOT NULL AND replayed_at IS NULL
RETURNING kafka_offset
