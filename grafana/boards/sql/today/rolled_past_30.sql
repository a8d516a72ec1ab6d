SELECT coalesce(sum(loans), 0)::bigint AS "Rolled past 30" FROM past_due_now WHERE @selection AND days_past_due = 31
