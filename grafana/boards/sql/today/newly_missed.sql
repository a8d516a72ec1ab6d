SELECT coalesce(sum(due_count - on_time_count), 0)::bigint AS "Missed yesterday" FROM cash_days(@part, 1, 1)
