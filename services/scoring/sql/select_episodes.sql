-- The latest episode of each of some loans under a rule, locked against people who move it meanwhile.
-- $1 slices, $2 loan keys, $3 rule.
SELECT e.episode_id, e.loan_key, e.state, e.severity, e.opened_on, e.reopened_on, e.leaving_since, e.closed_on,
       EXISTS (SELECT FROM risk.delivery d WHERE d.episode_id = e.episode_id) AS announced
FROM risk.alert_episode e
WHERE e.episode_id IN (
    SELECT max(found.episode_id)
    FROM (
        SELECT slice, array_agg(loan_key) AS keys
        FROM unnest($1::smallint[], $2::bigint[]) AS t (slice, loan_key)
        GROUP BY slice
    ) asked
    CROSS JOIN LATERAL (  -- all keys of a slice are one walk through the index
        SELECT loan_key, episode_id
        FROM risk.alert_episode
        WHERE slice = asked.slice AND loan_key = ANY (asked.keys) AND rule = $3
    ) found
    GROUP BY asked.slice, found.loan_key
)
ORDER BY e.episode_id
FOR UPDATE OF e
