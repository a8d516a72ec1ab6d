WITH cash AS MATERIALIZED (
    SELECT branch, closed, due, due_count, on_time_count, due_collected FROM cash_days(@part, 1, 0, true)
),
due AS (SELECT branch, due, due_collected AS collected FROM cash WHERE NOT closed),
missed AS (SELECT branch, due_count - on_time_count AS missed FROM cash WHERE closed),
rolled AS MATERIALIZED (SELECT branch, sum(loans) AS loans FROM past_due_now WHERE @selection AND days_past_due = 31 GROUP BY branch),
waiting AS MATERIALIZED (SELECT branch, sum(amount) AS amount FROM unapplied_now WHERE @selection GROUP BY branch)
SELECT branch AS "Branch", b.region AS "Region", coalesce(d.due, 0) AS "Due today", coalesce(d.collected, 0) AS "Collected",
       d.collected / nullif(d.due, 0) AS "Share", coalesce(m.missed, 0)::bigint AS "Missed",
       coalesce(r.loans, 0)::bigint AS "Past 30", coalesce(w.amount, 0) AS "Unapplied"
FROM (SELECT branch, region FROM branches WHERE @book AND region IN (${region:sqlstring}) AND branch IN (${branch:sqlstring})) b
LEFT JOIN due d USING (branch)
LEFT JOIN missed m USING (branch)
LEFT JOIN rolled r USING (branch)
LEFT JOIN waiting w USING (branch)
WHERE branch <> 'unknown' OR d.branch IS NOT NULL OR m.branch IS NOT NULL OR r.branch IS NOT NULL OR w.branch IS NOT NULL
ORDER BY m.missed DESC NULLS LAST, d.due DESC NULLS LAST, branch
