-- How far upstream's statements agree with our figures, by book and currency, in minor units.
SELECT b.book, c.code AS currency, c.exponent, sum(m.stated)::bigint AS stated, sum(m.waiting)::bigint AS waiting,
       sum(m.drifting)::bigint AS drifting, max(m.drift_minor_max)::bigint AS worst_minor,
       max(b.business_on - m.oldest_unconfirmed_on) AS unconfirmed_days
FROM reporting.reconciliation_mart m
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
GROUP BY b.book, c.code, c.exponent
HAVING sum(m.stated) > 0
