-- Take back announcements of episodes that ended before these could leave (they wait for the posting cut-off).
-- $1 episodes.
DELETE FROM risk.delivery
WHERE episode_id = ANY ($1::bigint[]) AND attempts = 0 AND delivered_at IS NULL AND due_at > now()
