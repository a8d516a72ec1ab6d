SELECT bucket AS "Bucket", sum(loans) AS "Loans",
       sum(loans) FILTER (WHERE outcome = 'cured') / nullif(sum(loans), 0) AS "Cured",
       sum(principal) FILTER (WHERE outcome = 'cured') / nullif(sum(principal), 0) AS "By amount",
       coalesce(sum(loans) FILTER (WHERE outcome = 'eased'), 0) AS "Eased",
       coalesce(sum(loans) FILTER (WHERE outcome = 'forgiven'), 0) AS "Forgiven",
       coalesce(sum(loans) FILTER (WHERE outcome = 'written_off'), 0) AS "Written off"
FROM cure_month
WHERE @selection
  AND month = (SELECT (date_trunc('month', business_on) - interval '1 month')::date FROM books WHERE @book)
GROUP BY bucket, bucket_order ORDER BY bucket_order
