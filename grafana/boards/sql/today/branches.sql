SELECT branch AS "Branch", max(region) AS "Region", sum(due) AS "Due today", sum(due_collected) AS "Collected",
       sum(due_collected) / nullif(sum(due), 0) AS "Share",
       sum(newly_missed)::bigint AS "Missed", sum(rolled_past_30)::bigint AS "Past 30",
       sum(unapplied_amount) AS "Unapplied"
FROM today
WHERE @selection
GROUP BY branch
ORDER BY sum(newly_missed) DESC, sum(due) DESC
