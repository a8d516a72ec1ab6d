-- Stale loans by book, currency and reason, in minor units.
SELECT b.book, c.code AS currency, c.exponent, m.reason, sum(m.loans)::bigint AS loans,
       sum(m.principal_minor)::bigint AS principal_minor
FROM reporting.stale_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
GROUP BY b.book, c.code, c.exponent, m.reason
