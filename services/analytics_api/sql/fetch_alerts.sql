-- Alert episodes, the severest and latest first.
-- $1: book, or null; $2: open only; $3: rule, $4: least severity, $5: branch, $6: loan id, each or null;
-- $7: baseline episodes too; $8: rows; $9: rows to leave out.
SELECT count(*) OVER () AS total, episode_id, book, rule, severity, state, baseline, loan_id, branch, region, product,
       currency, opened_on, opened_at, escalated_at, closed_on, closed_at, close_reason, acknowledged_by,
       acknowledged_at, acknowledge_note, assignee, useful, snapshot, days_past_due, overdue, principal
FROM reporting.alerts
WHERE ($1::text IS NULL OR book = $1) AND (NOT $2::boolean OR is_open) AND ($3::text IS NULL OR rule = $3)
  AND ($4::smallint IS NULL OR severity_order >= $4) AND ($5::text IS NULL OR branch = $5)
  AND ($6::text IS NULL OR loan_id = $6) AND ($7::boolean OR NOT baseline)
ORDER BY severity_order DESC, coalesce(escalated_at, opened_at) DESC, episode_id DESC
LIMIT $8 OFFSET $9
