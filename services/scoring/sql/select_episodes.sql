-- The latest episode of each of some loans under a rule, locked against people who move it meanwhile.
-- $1 slices, $2 loan keys, $3 rule.
SELECT e.episode_id, e.loan_key, e.state, e.severity, e.opened_on, e.reopened_on, e.leaving_since, e.closed_on,
       EXISTS (SELECT FROM risk.delivery d WHERE d.episode_id = e.episode_id) AS announced
FROM risk.alert_episode e
WHERE e.episode_id IN (
    SELECT DISTINCT ON (slice, loan_key) episode_id
    FROM unnest($1::smallint[], $2::bigint[]) AS asked (slice, loan_key)
    JOIN risk.alert_episode USING (slice, loan_key)
    WHERE rule = $3
    ORDER BY slice, loan_key, episode_id DESC
)
ORDER BY e.episode_id
FOR UPDATE OF e
