-- Queue messages about episodes, to every endpoint; the end of an episode only where its beginning was told.
-- $1 endpoints; then one array a column: $2 episode, $3 slice, $4 kind, $5 payload, $6 not before, $7 told before only.
INSERT INTO risk.delivery (episode_id, endpoint, slice, kind, payload, due_at, next_attempt_at)
SELECT g.episode_id, endpoint, g.slice, g.kind, g.payload::jsonb, g.due_at, g.due_at
FROM unnest($2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::timestamptz[], $7::boolean[])
    AS g (episode_id, slice, kind, payload, due_at, told_only)
CROSS JOIN unnest($1::text[]) AS endpoint
WHERE NOT g.told_only OR EXISTS (SELECT FROM risk.delivery d WHERE d.episode_id = g.episode_id)
