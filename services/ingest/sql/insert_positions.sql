-- Make missing positions and note the owner. $1: cluster id, $2: topics, $3: partitions, $4: offsets, $5: slices, $6: owner.
INSERT INTO core.stream_position (cluster_id, topic, partition, next_offset, slice, owner)
SELECT $1, topic, partition, next_offset, slice, $6
FROM unnest($2::text[], $3::smallint[], $4::bigint[], $5::smallint[]) AS s (topic, partition, next_offset, slice)
ON CONFLICT (cluster_id, topic, partition) DO UPDATE SET owner = excluded.owner
