-- Messages that could not be taken, the latest first, without their bytes.
-- $1: reason (a part of it), or null; $2: those not replayed only; $3: rows; $4: rows to leave out.
SELECT count(*) OVER () AS total, topic, partition, kafka_offset, reason, field, octet_length(raw) AS size_bytes,
       first_seen, corrected_by, approved_by, replayed_at
FROM core.dead_letter
WHERE ($1::text IS NULL OR position(lower($1) IN lower(reason)) > 0) AND (NOT $2::boolean OR replayed_at IS NULL)
ORDER BY first_seen DESC, topic, partition, kafka_offset DESC
LIMIT $3 OFFSET $4
