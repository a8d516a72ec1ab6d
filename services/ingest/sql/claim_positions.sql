-- Keep every book's business day from flipping until this transaction ends, then read the days; after that lock the
-- positions of a batch in key order. $1: lock class, $2: cluster id, $3: topics, $4: partitions.
SELECT book_key, book, business_on, settings_version,
       NULL::text AS topic, NULL::smallint AS partition, NULL::bigint AS next_offset
FROM core.share_books($1)
UNION ALL  -- one part after the other
SELECT NULL, NULL, NULL, NULL, p.*
FROM (
    SELECT p.topic, p.partition, p.next_offset
    FROM core.stream_position p
    JOIN unnest($3::text[], $4::smallint[]) AS wanted (topic, partition) USING (topic, partition)
    WHERE p.cluster_id = $2
    ORDER BY p.topic, p.partition
    FOR UPDATE OF p
) p
