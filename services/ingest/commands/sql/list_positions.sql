-- Every stored position. No parameters.
SELECT cluster_id, topic, partition, next_offset, paused_reason, owner, updated_at,
       extract(epoch FROM now() - caught_up_at)::double precision AS caught_up_age_s,
       received, taken, duplicates, dead, other
FROM core.stream_position
ORDER BY cluster_id, topic, partition
