-- Lock the positions of a batch in key order. $1: cluster id, $2: topics, $3: partitions.
SELECT p.topic, p.partition, p.next_offset
FROM core.stream_position p
JOIN unnest($2::text[], $3::smallint[]) AS wanted (topic, partition) USING (topic, partition)
WHERE p.cluster_id = $1
ORDER BY p.topic, p.partition
FOR UPDATE OF p
