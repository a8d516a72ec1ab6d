-- What positions have counted beside what the tables hold. No parameters.
SELECT p.topic, p.partition, p.received, p.taken, p.duplicates, p.dead, p.other,
       (SELECT count(*) FROM core.dead_letter d
        WHERE d.cluster_id = p.cluster_id AND d.topic = p.topic AND d.partition = p.partition) AS dead_letters,
       p.cluster_id
FROM core.stream_position p
ORDER BY p.cluster_id, p.topic, p.partition
