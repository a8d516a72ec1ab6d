-- Forget what was published. $1: outbox ids.
DELETE FROM core.outbox WHERE outbox_id = ANY ($1::bigint[])
