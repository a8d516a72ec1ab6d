-- Claim messages that are due, for a while; none overtakes an earlier one about the same episode.
-- $1 at most, $2 for how long: a claim that is not settled by then is free again.
UPDATE risk.delivery d SET attempts = d.attempts + 1, next_attempt_at = now() + $2::interval
WHERE d.delivery_id IN (
    SELECT c.delivery_id
    FROM risk.delivery c
    WHERE c.delivered_at IS NULL AND c.dead_at IS NULL AND c.next_attempt_at <= now()
      AND NOT EXISTS (
          SELECT FROM risk.delivery earlier
          WHERE earlier.episode_id = c.episode_id AND earlier.endpoint = c.endpoint
            AND earlier.sequence < c.sequence AND earlier.delivered_at IS NULL AND earlier.dead_at IS NULL)
    ORDER BY c.next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
RETURNING d.delivery_id, d.endpoint, d.slice, d.kind, d.payload::text AS payload, d.attempts, d.due_at
