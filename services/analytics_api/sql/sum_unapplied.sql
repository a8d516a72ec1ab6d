-- Events kept that do not count, by currency and reason.
-- $1: book key; $2: branches, or null.
SELECT c.code AS currency, u.reason, count(*) AS events, sum(u.amount_minor)::bigint AS amount_minor
FROM core.unapplied u
JOIN core.loan_state s USING (slice, loan_key)
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
WHERE s.book_key = $1 AND ($2::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($2))
GROUP BY c.code, u.reason
ORDER BY c.code, u.reason
