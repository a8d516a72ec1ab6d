SELECT sum(principal) FILTER (WHERE place IN ('1-30', '31-60', '61-90', '91+')) / nullif(sum(principal), 0) AS "Newly late"
FROM roll_month
WHERE @selection AND bucket = 'current'
  AND month = (SELECT (date_trunc('month', business_on) - interval '1 month')::date FROM books WHERE @book)
