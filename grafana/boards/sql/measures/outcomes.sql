SELECT to_char(month, 'YYYY-MM') AS "Month",
       coalesce(sum(items) FILTER (WHERE measure = 'on_time'), 0) AS "on time",
       coalesce(sum(items) FILTER (WHERE measure = 'late'), 0) AS "late",
       coalesce(sum(items) FILTER (WHERE measure = 'missed'), 0) AS "missed",
       coalesce(sum(items) FILTER (WHERE measure = 'open'), 0) AS "open"
FROM tally_month
WHERE @selection AND measure IN ('on_time', 'late', 'missed', 'open')
  AND month >= (SELECT (date_trunc('month', business_on) - interval '6 months')::date FROM books WHERE @book)
GROUP BY month ORDER BY month
