-- Note what became of claimed messages; the next attempt is by the database's clock.
-- One array a column: $1 delivery, $2 delivered, $3 dead, $4 error, $5 seconds to the next attempt.
UPDATE risk.delivery d SET
    delivered_at = CASE WHEN g.delivered THEN now() END,
    dead_at = CASE WHEN g.dead THEN now() END,
    last_error = g.error,
    next_attempt_at = now() + make_interval(secs => g.wait_s)
FROM unnest($1::uuid[], $2::boolean[], $3::boolean[], $4::text[], $5::float8[])
    AS g (delivery_id, delivered, dead, error, wait_s)
WHERE d.delivery_id = g.delivery_id AND d.delivered_at IS NULL
