SELECT coalesce(sum(due_collected), 0) AS "Collected of it" FROM cash_days(@part, 0, 0)
