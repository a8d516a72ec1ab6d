-- Keep what cannot be taken. $1: slices, $2: cluster id, $3: topics, $4: partitions, $5: offsets, $6: reasons, $7: fields, $8: keys, $9: bytes.
INSERT INTO core.dead_letter (slice, cluster_id, topic, partition, kafka_offset, reason, field, key, raw)
SELECT slice, $2, topic, partition, kafka_offset, reason, field, key, raw
FROM unnest($1::smallint[], $3::text[], $4::smallint[], $5::bigint[], $6::text[], $7::text[], $8::bytea[], $9::bytea[])
    AS d (slice, topic, partition, kafka_offset, reason, field, key, raw)
ON CONFLICT DO NOTHING
