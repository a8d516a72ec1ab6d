-- Loans of a slice whose score is behind their state, their day or the model, in key order. A current loan's score
-- holds from day to day; a late loan ages daily, an open episode counts days, and a month's end is kept of every loan.
-- $1 slice, $2 model, $3 rule, $4 after this key, $5 at most, $6 changes younger than this are left to their notices.
SELECT s.loan_key
FROM core.loan_state s
JOIN core.book b ON b.book_key = s.book_key
LEFT JOIN risk.score r ON r.slice = s.slice AND r.loan_key = s.loan_key
LEFT JOIN risk.alert_episode e
    ON e.slice = s.slice AND e.loan_key = s.loan_key AND e.rule = $3 AND e.state NOT IN ('resolved', 'withdrawn')
WHERE s.slice = $1 AND s.loan_key > $4 AND CASE
    WHEN s.status <> 1 THEN (r.loan_key IS NOT NULL OR e.episode_id IS NOT NULL) AND s.changed_at <= now() - $6::interval
    WHEN r.loan_key IS NULL OR r.state_version < s.version THEN s.changed_at <= now() - $6::interval
    WHEN r.model < $2 THEN true
    WHEN r.as_of < greatest(s.as_of, least(b.business_on, s.next_boundary_on - 1)) THEN
        s.past_due_on IS NOT NULL OR e.episode_id IS NOT NULL
        OR r.as_of < (date_trunc('month', b.business_on + 1) - interval '1 day')::date
    ELSE false
END
ORDER BY s.loan_key
LIMIT $5
