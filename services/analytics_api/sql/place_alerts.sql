-- Open alerts with where their loans are and what these owe; what has not changed is not written again.
INSERT INTO reporting.alert_mart AS m (episode_id, book_key, branch_key, baseline, severity, overdue)
SELECT a.episode_id, a.book_key, coalesce(s.branch_key, a.branch_key, 0), a.baseline, a.severity,
       reporting.major(s.overdue_minor, c.exponent)
FROM risk.alert_episode a
LEFT JOIN core.loan_state s ON s.slice = a.slice AND s.loan_key = a.loan_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
WHERE a.state NOT IN ('resolved', 'withdrawn')
ON CONFLICT (episode_id) DO UPDATE
SET branch_key = excluded.branch_key, baseline = excluded.baseline, severity = excluded.severity, overdue = excluded.overdue
WHERE (m.branch_key, m.baseline, m.severity, m.overdue)
      IS DISTINCT FROM (excluded.branch_key, excluded.baseline, excluded.severity, excluded.overdue)
