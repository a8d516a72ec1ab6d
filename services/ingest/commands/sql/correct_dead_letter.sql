-- Put a correction beside the original bytes; an approval of an earlier one is void.
-- $1: cluster id, $2: topic, $3: partition, $4: offset, $5: corrected bytes, $6: author.
UPDATE core.dead_letter
SET corrected = $5, corrected_by = $6, corrected_at = now(), approved_by = NULL, approved_at = NULL
WHERE cluster_id = $1 AND topic = $2 AND partition = $3 AND kafka_offset = $4 AND replayed_at IS NULL
RETURNING kafka_offset
