-- Move a position to where the log goes on, whatever lies between; gives where it stood.
-- $1: cluster id, $2: topic, $3: partition, $4: offset.
WITH stood AS (
    SELECT cluster_id, topic, partition, next_offset, paused_reason FROM core.stream_position
    WHERE cluster_id = $1 AND topic = $2 AND partition = $3
    FOR UPDATE
)
UPDATE core.stream_position p
SET next_offset = $4, fingerprint = NULL, paused_reason = NULL, updated_at = now()
FROM stood s
WHERE (p.cluster_id, p.topic, p.partition) = (s.cluster_id, s.topic, s.partition)
RETURNING s.next_offset AS stood_at, s.paused_reason
