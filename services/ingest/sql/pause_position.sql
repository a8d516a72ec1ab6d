-- Stop a partition until a person has looked. $1: cluster id, $2: topic, $3: partition, $4: reason.
UPDATE core.stream_position SET paused_reason = $4, updated_at = now()
WHERE cluster_id = $1 AND topic = $2 AND partition = $3
