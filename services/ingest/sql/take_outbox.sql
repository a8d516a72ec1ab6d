-- Oldest waiting rows that no other worker relays. $1: how many at most.
SELECT outbox_id, topic, partition, key, payload FROM core.outbox ORDER BY outbox_id LIMIT $1 FOR UPDATE SKIP LOCKED
