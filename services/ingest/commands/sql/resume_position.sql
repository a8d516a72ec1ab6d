-- Let a stopped partition go on; gives why it had been stopped, no row where it had not. $1: topic, $2: partition.
WITH stopped AS (
    SELECT cluster_id, topic, partition, paused_reason, next_offset FROM core.stream_position
    WHERE topic = $1 AND partition = $2 AND paused_reason IS NOT NULL
    FOR UPDATE
)
UPDATE core.stream_position p
SET paused_reason = NULL, updated_at = now()
FROM stopped s
WHERE (p.cluster_id, p.topic, p.partition) = (s.cluster_id, s.topic, s.partition)
RETURNING p.cluster_id, s.paused_reason, p.next_offset
