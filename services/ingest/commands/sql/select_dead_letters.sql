-- Dead letters, oldest first. $1: topics, $2: partitions, $3: offsets of those wanted, or null for all;
-- $4: text in the reason, or null; $5: open, corrected, approved, replayed, or null; $6: how many at most.
SELECT d.cluster_id, d.topic, d.partition, d.kafka_offset, d.reason, d.field, d.key, d.raw, d.first_seen,
       d.corrected, d.corrected_by, d.approved_by, d.replayed_at, state.name AS state,
       extract(epoch FROM now() - d.first_seen)::double precision AS age_s
FROM core.dead_letter d
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.replayed_at IS NOT NULL THEN 'replayed' WHEN d.approved_by IS NOT NULL THEN 'approved'
                WHEN d.corrected IS NOT NULL THEN 'corrected' ELSE 'open' END AS name
) state
WHERE ($1::text[] IS NULL OR (d.topic, d.partition, d.kafka_offset) IN (
          SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[])))
  AND ($4::text IS NULL OR position(lower($4) IN lower(d.reason)) > 0)
  AND ($5::text IS NULL OR state.name = $5)
ORDER BY d.first_seen, d.topic, d.partition, d.kafka_offset
LIMIT $6
