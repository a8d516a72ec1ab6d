-- Active loans and their principal by currency and bucket; stale loans are a bucket of their own, number 5.
-- $1: book key.
SELECT c.code AS currency, x.bucket, sum(x.loans)::bigint AS loans, sum(x.principal_minor)::bigint AS principal_minor
FROM (
    SELECT currency_key, bucket, loans, principal_minor FROM core.book_now WHERE book_key = $1 AND status = 1
    UNION ALL
    SELECT m.currency_key, side.bucket, side.sign * m.loans, side.sign * m.principal_minor
    FROM reporting.stale_mart m
    CROSS JOIN LATERAL (VALUES (m.bucket, -1), (5::smallint, 1)) side (bucket, sign)
    WHERE m.book_key = $1
) x
JOIN core.currency c USING (currency_key)
GROUP BY c.code, x.bucket
ORDER BY c.code, x.bucket
