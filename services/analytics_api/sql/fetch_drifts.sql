-- Loans of which upstream's latest statement and our figures differ, the largest difference of principal first.
-- $1: book key; $2: loans, of each currency and in all.
SELECT l.loan_id, c.code AS currency, d.stated_on, d.differs_in, d.stated_status, d.stated_principal_minor,
       d.stated_overdue_minor, d.stated_days_past_due, d.our_status, d.our_principal_minor, d.our_overdue_minor,
       d.our_days_past_due
FROM core.currency c
CROSS JOIN LATERAL (
    SELECT st.slice, st.loan_key, st.stated_on, st.differs_in, st.stated_status, st.stated_principal_minor,
           st.stated_overdue_minor, st.stated_days_past_due, st.our_status, st.our_principal_minor, st.our_overdue_minor,
           st.our_days_past_due, st.principal_drift_minor
    FROM reporting.statement st
    WHERE st.book_key = $1 AND st.currency_key = c.currency_key AND st.drifts
    ORDER BY st.principal_drift_minor DESC NULLS LAST
    LIMIT $2
) d
JOIN core.loan l USING (slice, loan_key)
ORDER BY d.principal_drift_minor DESC NULLS LAST, l.loan_id
LIMIT $2
