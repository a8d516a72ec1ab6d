SELECT to_char(month, 'YYYY-MM') AS "Month",
       coalesce(sum(amount) FILTER (WHERE measure = 'lost'), 0) AS "Lost",
       coalesce(sum(items) FILTER (WHERE measure = 'lost'), 0) AS "Loans",
       coalesce(sum(amount) FILTER (WHERE measure = 'written_off'), 0) AS "Written off",
       coalesce(sum(amount) FILTER (WHERE measure = 'recovered'), 0) AS "Recovered since",
       sum(amount) FILTER (WHERE measure = 'recovered') / nullif(sum(amount) FILTER (WHERE measure = 'written_off'), 0) AS "Recovery rate"
FROM tally_month
WHERE @selection AND measure IN ('lost', 'written_off', 'recovered')
  AND month >= (SELECT (date_trunc('month', business_on) - interval '13 months')::date FROM books WHERE @book)
GROUP BY month ORDER BY month DESC
