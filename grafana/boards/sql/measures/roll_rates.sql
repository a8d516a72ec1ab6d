SELECT bucket AS "From", sum(loans) AS "Loans", sum(principal) AS "Opening",
       coalesce(sum(principal) FILTER (WHERE place = 'current'), 0) / nullif(sum(principal), 0) AS "current",
       coalesce(sum(principal) FILTER (WHERE place = '1-30'), 0) / nullif(sum(principal), 0) AS "1-30",
       coalesce(sum(principal) FILTER (WHERE place = '31-60'), 0) / nullif(sum(principal), 0) AS "31-60",
       coalesce(sum(principal) FILTER (WHERE place = '61-90'), 0) / nullif(sum(principal), 0) AS "61-90",
       coalesce(sum(principal) FILTER (WHERE place = '91+'), 0) / nullif(sum(principal), 0) AS "91+",
       coalesce(sum(principal) FILTER (WHERE place = 'closed'), 0) / nullif(sum(principal), 0) AS "closed",
       coalesce(sum(principal) FILTER (WHERE place IN ('charged_off', 'written_off')), 0) / nullif(sum(principal), 0) AS "lost"
FROM roll_month
WHERE @selection
  AND month = (SELECT (date_trunc('month', business_on) - interval '1 month')::date FROM books WHERE @book)
GROUP BY bucket, bucket_order ORDER BY bucket_order
