-- Stale loans by currency and reason, as of the last refresh.
-- $1: book key.
SELECT c.code AS currency, m.reason, sum(m.loans)::bigint AS loans, sum(m.principal_minor)::bigint AS principal_minor
FROM reporting.stale_mart m
JOIN core.currency c USING (currency_key)
WHERE m.book_key = $1
GROUP BY c.code, m.reason
ORDER BY c.code, m.reason
