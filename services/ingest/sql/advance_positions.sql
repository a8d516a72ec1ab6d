-- Move positions past what this transaction applied, and count what became of it.
-- $1: cluster id, $2: topics, $3: partitions, $4: next offsets, $5: fingerprints of the last records,
-- $6..$10: received, taken, duplicates, dead, other.
UPDATE core.stream_position p
SET next_offset = moved.next_offset, fingerprint = coalesce(moved.fingerprint, p.fingerprint), updated_at = now(),
    received = p.received + moved.received, taken = p.taken + moved.taken,
    duplicates = p.duplicates + moved.duplicates, dead = p.dead + moved.dead, other = p.other + moved.other
FROM unnest($2::text[], $3::smallint[], $4::bigint[], $5::bytea[],
            $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
    AS moved (topic, partition, next_offset, fingerprint, received, taken, duplicates, dead, other)
WHERE p.cluster_id = $1 AND p.topic = moved.topic AND p.partition = moved.partition
