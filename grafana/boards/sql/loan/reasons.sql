SELECT CASE kind WHEN 'reason' THEN 'standing' ELSE 'moved ' || coalesce(moved_on, '') END AS "Why", points AS "Points", reason AS "Reason"
FROM loan_reasons WHERE @loan ORDER BY kind DESC, place
