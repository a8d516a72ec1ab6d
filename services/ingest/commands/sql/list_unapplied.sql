-- Events that are kept and do not count. $1: book or null, $2: reason or null, $3: how many at most.
SELECT b.book, l.loan_id, u.event_id, t.type, u.reason,
       CASE WHEN u.amount_minor <> 0 THEN t.amount END AS amount, t.currency, t.effective_on, t.known_on
FROM core.unapplied u
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b ON b.book_key = l.book_key
LEFT JOIN LATERAL (
    SELECT reporting.event_type_name(e.type_key) AS type, e.effective_on, e.known_on,
           convert_from(e.detail, 'UTF8')::jsonb ->> 'amount' AS amount,
           convert_from(e.detail, 'UTF8')::jsonb ->> 'currency' AS currency
    FROM core.event e
    WHERE e.slice = u.slice AND e.loan_key = u.loan_key AND e.event_id = u.event_id
    LIMIT 1
) t ON true
WHERE ($1::text IS NULL OR b.book = $1) AND ($2::text IS NULL OR u.reason = $2)
ORDER BY t.known_on, b.book, l.loan_id, u.event_id
LIMIT $3
