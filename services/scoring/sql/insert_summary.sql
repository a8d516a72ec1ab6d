-- Queue the summary of a book's silent episodes to every endpoint.
-- $1 endpoints, $2 payload.
INSERT INTO risk.delivery (endpoint, kind, payload)
SELECT endpoint, 'baseline', $2::jsonb FROM unnest($1::text[]) AS endpoint
