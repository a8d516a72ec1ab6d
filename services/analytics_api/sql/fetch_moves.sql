-- How loans moved between two closes: each one that was late at either of them, the others summed up.
-- Installments missed are those since the oldest unpaid due day; is_changed: the plan was another one once, or a debt was
-- given up, so that a fold has to say how it stood.
-- $1: book key; $2: the opening; $3: the close.
WITH closed AS MATERIALIZED (
    SELECT slice, loan_key, status, days_past_due
    FROM reporting.loan_month
    WHERE book_key = $1 AND closing_on = $3
    UNION ALL
    SELECT slice, loan_key, status, days_past_due
    FROM core.loans_on($1, $3::date, false)
    WHERE status NOT IN (0, 5)
      AND NOT EXISTS (SELECT FROM reporting.loan_month_mark WHERE book_key = $1 AND closing_on = $3)
), moves AS MATERIALIZED (
    SELECT o.currency_key, o.branch_key, o.product_key, o.bucket, c.status, o.slice, o.loan_key, o.principal_minor,
           CASE WHEN o.days_past_due > 0 THEN $2::date - o.days_past_due END AS past_due_before,
           CASE WHEN c.days_past_due > 0 THEN $3 - c.days_past_due END AS past_due_on,
           o.days_past_due > 0 OR c.days_past_due > 0 OR o.bucket > 0 AS is_late
    FROM reporting.loan_month o
    JOIN closed c USING (slice, loan_key)
    WHERE o.book_key = $1 AND o.closing_on = $2 AND o.status = 1
)
SELECT currency_key, branch_key, product_key, bucket, status, NULL::smallint AS slice, NULL::bigint AS loan_key,
       NULL::text AS book, NULL::text AS loan_id, NULL::text AS product_settings, count(*) AS loans, sum(principal_minor)::bigint AS principal_minor,
       NULL::date AS past_due_on, 0 AS missed_before, 0 AS missed, false AS is_changed
FROM moves
WHERE NOT is_late
GROUP BY currency_key, branch_key, product_key, bucket, status
UNION ALL
SELECT m.currency_key, m.branch_key, m.product_key, m.bucket, m.status, m.slice, m.loan_key, b.book, l.loan_id,
       coalesce(p.settings, '{}')::text, 1, m.principal_minor, m.past_due_on, due.missed_before, due.missed, changed.is_changed
FROM moves m
JOIN core.loan l ON l.slice = m.slice AND l.loan_key = m.loan_key
JOIN core.book b ON b.book_key = $1
LEFT JOIN core.product p ON p.product_key = m.product_key
CROSS JOIN LATERAL (
    SELECT coalesce(sum((i.due_on >= m.past_due_before AND i.due_on < $2)::integer), 0)::integer AS missed_before,
           coalesce(sum((i.due_on >= m.past_due_on AND i.due_on < $3)::integer), 0)::integer AS missed
    FROM core.loan_plan plan
    CROSS JOIN unnest(plan.due_on, plan.principal_due, plan.interest_due, plan.fee_due, plan.penalty_due)
        AS i (due_on, principal, interest, fee, penalty)
    WHERE plan.slice = m.slice AND plan.loan_key = m.loan_key
      AND coalesce(i.principal, 0) + coalesce(i.interest, 0) + coalesce(i.fee, 0) + coalesce(i.penalty, 0) > 0
) due
CROSS JOIN LATERAL (
    -- schedules; closings, undone disbursements, restructures, chargebacks, refunds, charges, write-offs
    SELECT count(*) FILTER (WHERE e.type_key = 4) > 1
           OR count(*) FILTER (WHERE e.type_key = ANY ('{7,13,14,15,19,21,23,24,25,26,27,30,31}')) > 0 AS is_changed
    FROM core.event e
    WHERE e.slice = m.slice AND e.loan_key = m.loan_key
) changed
WHERE m.is_late
