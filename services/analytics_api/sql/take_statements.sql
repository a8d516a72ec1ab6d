-- Note upstream's latest statement of each loan of which one came since a moment; what is new waits to be compared.
-- $1: the moment, or null for all.
INSERT INTO reporting.statement AS st (slice, loan_key, book_key, currency_key, source_key, event_id, stated_on, booked_on)
SELECT t.slice, t.loan_key, s.book_key, s.currency_key, e.source_key, e.event_id, e.effective_on, e.business_on
FROM (
    SELECT DISTINCT slice, loan_key FROM core.event
    WHERE type_key = 17 AND ingested_at >= coalesce($1::timestamptz, '-infinity')
) t
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.book b ON b.book_key = s.book_key
LEFT JOIN core.authority a ON a.book_key = s.book_key AND a.type_key = 17
CROSS JOIN LATERAL (
    SELECT x.source_key, x.event_id, x.effective_on, x.business_on
    FROM core.event x
    WHERE x.slice = t.slice AND x.loan_key = t.loan_key AND x.type_key = 17 AND x.effective_on <= b.business_on
      AND (a.source_key IS NULL OR a.source_key = x.source_key)
    ORDER BY x.effective_on DESC, x.business_on DESC, x.sequence DESC NULLS LAST, x.recorded_at DESC
    LIMIT 1
) e
ON CONFLICT (slice, loan_key) DO UPDATE
SET source_key = excluded.source_key, event_id = excluded.event_id, stated_on = excluded.stated_on,
    booked_on = excluded.booked_on, compared_at = NULL, stated_status = NULL, stated_principal_minor = NULL,
    stated_overdue_minor = NULL, stated_days_past_due = NULL, our_status = NULL, our_principal_minor = NULL,
    our_overdue_minor = NULL, our_days_past_due = NULL, differs_in = '{}'
WHERE (st.event_id, st.source_key) IS DISTINCT FROM (excluded.event_id, excluded.source_key)
