-- How far upstream's statements agree with our figures, by currency, as of the last refresh.
-- $1: book key.
SELECT c.code AS currency, sum(m.stated)::bigint AS stated, sum(m.waiting)::bigint AS waiting,
       sum(m.drifting)::bigint AS drifting, sum(m.drifting_status)::bigint AS status,
       sum(m.drifting_principal)::bigint AS principal_outstanding, sum(m.drifting_overdue)::bigint AS overdue,
       sum(m.drifting_days_past_due)::bigint AS days_past_due, sum(m.drift_minor)::bigint AS drift_minor,
       sum(m.running - m.running_stated)::bigint AS never_confirmed, min(m.oldest_stated_on) AS oldest_stated_on,
       max(m.newest_stated_on) AS newest_stated_on, min(m.oldest_unconfirmed_on) AS oldest_unconfirmed_on
FROM reporting.reconciliation_mart m
LEFT JOIN core.currency c USING (currency_key)
WHERE m.book_key = $1
GROUP BY c.code
ORDER BY c.code
