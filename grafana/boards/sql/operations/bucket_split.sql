SELECT bucket AS "bucket", sum(principal) AS "principal"
FROM bucket_split WHERE @book AND currency = ${currency:sqlstring}
GROUP BY bucket, bucket_order ORDER BY bucket_order
