-- The latest episode of each of some loans under a rule, locked against people who move it meanwhile.
-- $1 slice, $2 loan keys, $3 rule.
SELECT e.episode_id, e.loan_key, e.state, e.severity, e.opened_on, e.reopened_on, e.leaving_since, e.closed_on,
       EXISTS (SELECT FROM risk.delivery d WHERE d.episode_id = e.episode_id) AS announced
FROM risk.alert_episode e
WHERE e.episode_id IN (
    SELECT DISTINCT ON (loan_key) episode_id
    FROM risk.alert_episode
    WHERE slice = $1 AND loan_key = ANY ($2::bigint[]) AND rule = $3
    ORDER BY loan_key, episode_id DESC
)
ORDER BY e.episode_id
FOR UPDATE OF e
