-- Nothing waits in these partitions. $1: cluster id, $2: topics, $3: partitions.
UPDATE core.stream_position p
SET caught_up_at = now()
FROM unnest($2::text[], $3::smallint[]) AS quiet (topic, partition)
WHERE p.cluster_id = $1 AND p.topic = quiet.topic AND p.partition = quiet.partition
