-- Statements that wait to be compared, and then those compared longest ago, with what our figures are folded from.
-- $1: compared before this moment; $2: statements at most.
SELECT st.slice, st.loan_key, st.event_id, st.stated_on AS effective_on, st.booked_on AS business_on, e.type_key, e.detail,
       l.loan_id, b.book_key, b.book, c.code AS currency, coalesce(p.settings, '{}') AS product_settings
FROM (
    SELECT w.slice, w.loan_key, w.book_key, w.source_key, w.event_id, w.stated_on, w.booked_on
    FROM reporting.statement w
    WHERE (w.compared_at IS NULL OR w.compared_at < $1)
      AND NOT EXISTS (SELECT FROM core.loan_state q
                      WHERE q.slice = w.slice AND q.loan_key = w.loan_key AND q.quarantine IS NOT NULL)
    ORDER BY w.compared_at NULLS FIRST
    LIMIT $2
) st
JOIN core.event e USING (slice, loan_key, event_id, source_key)
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b ON b.book_key = st.book_key
JOIN core.loan_state s USING (slice, loan_key)
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.product p ON p.product_key = s.product_key
