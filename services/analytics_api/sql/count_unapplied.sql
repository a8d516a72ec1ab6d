-- Events kept that do not count, by book, currency and reason, with the money in them in minor units.
SELECT b.book, coalesce(c.code, 'unknown') AS currency, coalesce(c.exponent, 0)::smallint AS exponent, u.reason,
       count(*) AS events, sum(u.amount_minor)::bigint AS amount_minor
FROM core.unapplied u
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.book b ON b.book_key = s.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
GROUP BY b.book, c.code, c.exponent, u.reason
