-- Move positions past what this transaction applied.
-- $1: cluster id, $2: topics, $3: partitions, $4: next offsets, $5: fingerprints of the last records.
UPDATE core.stream_position p
SET next_offset = moved.next_offset, fingerprint = coalesce(moved.fingerprint, p.fingerprint), updated_at = now()
FROM unnest($2::text[], $3::smallint[], $4::bigint[], $5::bytea[]) AS moved (topic, partition, next_offset, fingerprint)
WHERE p.cluster_id = $1 AND p.topic = moved.topic AND p.partition = moved.partition
