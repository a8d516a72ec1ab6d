-- The latest statement of upstream about each loan of a book, the newest first, with what our figures are folded from.
-- $1: book key; $2: the latest day of a statement; $3: loans.
SELECT latest.slice, latest.loan_key, latest.effective_on, latest.business_on, latest.type_key, latest.detail,
       l.loan_id, c.code AS currency, coalesce(p.settings, '{}') AS product_settings, s.quarantine
FROM (
    SELECT DISTINCT ON (e.slice, e.loan_key) e.slice, e.loan_key, e.effective_on, e.business_on, e.type_key, e.detail
    FROM core.event e
    JOIN core.loan l USING (slice, loan_key)
    LEFT JOIN core.authority a ON a.book_key = $1 AND a.type_key = 17
    WHERE e.type_key = 17 AND l.book_key = $1 AND e.effective_on <= $2
      AND (a.source_key IS NULL OR a.source_key = e.source_key)
    ORDER BY e.slice, e.loan_key, e.effective_on DESC, e.business_on DESC, e.sequence DESC NULLS LAST, e.recorded_at DESC
) latest
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.product p ON p.product_key = s.product_key
ORDER BY latest.effective_on DESC, latest.slice, latest.loan_key
LIMIT $3
