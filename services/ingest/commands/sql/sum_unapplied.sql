-- Events that do not count by reason, with the cash that waits. $1: book or null, $2: reason or null.
SELECT b.book, u.reason, count(*) AS events, c.code AS currency,
       CASE WHEN sum(u.amount_minor) <> 0 AND c.code IS NOT NULL
            THEN reporting.major(sum(u.amount_minor), c.exponent) END AS amount
FROM core.unapplied u
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.book b ON b.book_key = s.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
WHERE ($1::text IS NULL OR b.book = $1) AND ($2::text IS NULL OR u.reason = $2)
GROUP BY b.book, u.reason, c.code, c.exponent
ORDER BY b.book, events DESC, u.reason
