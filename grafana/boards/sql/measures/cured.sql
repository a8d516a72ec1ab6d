SELECT sum(loans) FILTER (WHERE outcome = 'cured') / nullif(sum(loans), 0) AS "Cured"
FROM cure_month
WHERE @selection
  AND month = (SELECT (date_trunc('month', business_on) - interval '1 month')::date FROM books WHERE @book)
