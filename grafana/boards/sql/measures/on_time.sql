SELECT sum(items) FILTER (WHERE measure = 'on_time') / nullif(sum(items), 0) AS "On time"
FROM tally_month
WHERE @selection AND measure IN ('on_time', 'late', 'missed')
  AND month = (SELECT (date_trunc('month', business_on) - interval '1 month')::date FROM books WHERE @book)
