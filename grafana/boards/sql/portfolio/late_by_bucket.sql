SELECT b.bucket AS "bucket", c.product AS "product", coalesce(sum(c.principal), 0) AS "principal"
FROM (VALUES ('1-30', 1), ('31-60', 2), ('61-90', 3), ('91+', 4)) b (bucket, place)
JOIN portfolio_part(@part) c ON c.bucket = b.bucket AND c.counts
GROUP BY b.place, b.bucket, c.product ORDER BY b.place, c.product
