-- Alert episodes, the severest and latest first: the page is cut on the episodes alone, what is shown is joined to it.
-- $1: book, or null; $2: open only; $3: rule, $4: least severity, $5: branch, $6: loan id, each or null;
-- $7: baseline episodes too; $8: rows; $9: rows to leave out.
WITH books AS (
    SELECT book_key FROM core.book WHERE $1::text IS NULL OR book = $1
), found AS NOT MATERIALIZED (
    SELECT a.episode_id, a.severity, coalesce(a.escalated_at, a.opened_at) AS moved_at
    FROM risk.alert_episode a
    WHERE a.book_key = ANY (ARRAY(SELECT book_key FROM books))
      AND (NOT $2::boolean OR a.state NOT IN ('resolved', 'withdrawn')) AND ($3::text IS NULL OR a.rule = $3)
      AND ($4::smallint IS NULL OR a.severity >= $4) AND ($7::boolean OR NOT a.baseline)
      AND ($5::text IS NULL
           OR $2 AND a.episode_id = ANY (ARRAY(
               SELECT p.episode_id FROM books CROSS JOIN LATERAL reporting.alert_places(books.book_key) p
               LEFT JOIN core.branch br USING (branch_key) WHERE coalesce(br.branch, 'unknown') = $5))
           OR NOT $2 AND EXISTS (
               SELECT FROM (SELECT a.branch_key AS its_own) own
               LEFT JOIN core.loan_state s ON s.slice = a.slice AND s.loan_key = a.loan_key
               LEFT JOIN core.branch br ON br.branch_key = coalesce(s.branch_key, own.its_own)
               WHERE coalesce(br.branch, 'unknown') = $5))
      AND ($6::text IS NULL OR (a.slice, a.loan_key) IN (
               SELECT l.slice, l.loan_key FROM core.loan l JOIN books USING (book_key) WHERE l.loan_id = $6))
), page AS (
    SELECT episode_id FROM found ORDER BY severity DESC, moved_at DESC, episode_id DESC LIMIT $8 OFFSET $9
)
SELECT (SELECT count(*) FROM found) AS total, episode_id, book, rule, severity, state, baseline, loan_id, branch, region,
       product, currency, opened_on, opened_at, escalated_at, closed_on, closed_at, close_reason, acknowledged_by,
       acknowledged_at, acknowledge_note, assignee, useful, snapshot, days_past_due, overdue, principal
FROM reporting.alerts
WHERE episode_id = ANY (ARRAY(SELECT episode_id FROM page))
ORDER BY severity_order DESC, coalesce(escalated_at, opened_at) DESC, episode_id DESC
