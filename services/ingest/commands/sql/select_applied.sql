-- How far each partition of a topic is applied. $1: cluster id, $2: topic.
SELECT partition, next_offset FROM core.stream_position WHERE cluster_id = $1 AND topic = $2
