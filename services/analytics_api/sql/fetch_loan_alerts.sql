-- A loan's alert episodes, the latest first.
-- $1: slice; $2: loan key.
SELECT episode_id, book, rule, severity, state, baseline, loan_id, branch, region, product, currency, opened_on,
       opened_at, escalated_at, closed_on, closed_at, close_reason, acknowledged_by, acknowledged_at, acknowledge_note,
       assignee, useful, snapshot, days_past_due, overdue, principal
FROM reporting.alerts
WHERE episode_id = ANY (ARRAY(SELECT a.episode_id FROM risk.alert_episode a WHERE a.slice = $1 AND a.loan_key = $2))
ORDER BY opened_at DESC, episode_id DESC
LIMIT 200
