SELECT (extract(epoch FROM month) * 1000)::bigint AS "day",
       sum(amount) FILTER (WHERE measure = 'collected') / nullif(sum(amount) FILTER (WHERE measure = 'due'), 0) AS "Of what was due",
       sum(amount) FILTER (WHERE measure = 'cash') / nullif(sum(amount) FILTER (WHERE measure = 'due'), 0) AS "All cash"
FROM tally_month
WHERE @selection AND measure IN ('due', 'collected', 'cash') AND NOT to_date
  AND month >= (SELECT (date_trunc('month', business_on) - interval '13 months')::date FROM books WHERE @book)
GROUP BY month ORDER BY month
