SELECT sum(amount) FILTER (WHERE measure = 'collected') / nullif(sum(amount) FILTER (WHERE measure = 'due'), 0) AS "Efficiency"
FROM tally_month
WHERE @selection AND measure IN ('due', 'collected')
  AND month = (SELECT (date_trunc('month', business_on) - interval '1 month')::date FROM books WHERE @book)
