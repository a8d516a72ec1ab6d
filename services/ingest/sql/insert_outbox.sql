-- Leave word for others, relayed after the commit. $1: slices, $2: topics, $3: partitions, $4: keys, $5: payloads.
INSERT INTO core.outbox (slice, topic, partition, key, payload)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::smallint[], $4::bytea[], $5::bytea[])
