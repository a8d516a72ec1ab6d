SELECT coalesce(sum(due), 0) AS "Due today" FROM cash_days(@part, 0, 0)
