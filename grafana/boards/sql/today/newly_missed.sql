SELECT coalesce(sum(due_count - on_time_count), 0)::bigint AS "Missed yesterday"
FROM cash_day_now WHERE @selection AND day = (SELECT business_on - 1 FROM books WHERE @book)
