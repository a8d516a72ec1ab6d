-- Events kept that do not count, the largest amounts first.
-- $1: book key; $2: branches, $3: reasons, each or null; $4: rows; $5: rows to leave out.
SELECT count(*) OVER () AS total, l.loan_id, u.event_id, u.reason, u.amount_minor, c.code AS currency,
       coalesce(br.branch, 'unknown') AS branch, e.type_key, e.effective_on, e.business_on, e.known_on, e.ingested_at
FROM core.unapplied u
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN LATERAL (
    SELECT type_key, effective_on, business_on, known_on, ingested_at FROM core.event
    WHERE slice = u.slice AND loan_key = u.loan_key AND event_id = u.event_id
    LIMIT 1
) e ON true
WHERE l.book_key = $1 AND ($2::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($2))
  AND ($3::text[] IS NULL OR u.reason = ANY ($3))
ORDER BY u.amount_minor DESC, l.loan_id, u.event_id
LIMIT $4 OFFSET $5
