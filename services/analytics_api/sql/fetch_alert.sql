-- One alert episode.
-- $1: episode id.
SELECT episode_id, book, rule, severity, state, baseline, loan_id, branch, region, product, currency, opened_on,
       opened_at, escalated_at, closed_on, closed_at, close_reason, acknowledged_by, acknowledged_at, acknowledge_note,
       assignee, useful, snapshot, days_past_due, overdue, principal
FROM reporting.alerts WHERE episode_id = $1
