-- Take the oldest waiting rows that no other worker relays: they are gone with the commit. $1: how many at most.
DELETE FROM core.outbox
WHERE outbox_id = ANY (ARRAY(SELECT outbox_id FROM core.outbox ORDER BY outbox_id LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING outbox_id, topic, partition, key, payload
