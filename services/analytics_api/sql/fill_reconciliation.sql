-- Statements by part of the book: how many loans are stated, drift, wait or were never confirmed, and since when.
INSERT INTO reporting.reconciliation_mart (book_key, currency_key, branch_key, product_key, stated, waiting, drifting,
    drifting_status, drifting_principal, drifting_overdue, drifting_days_past_due, drift_minor, drift_minor_max, running,
    running_stated, oldest_stated_on, newest_stated_on, oldest_unconfirmed_on)
SELECT s.book_key, s.currency_key, s.branch_key, s.product_key, count(st.stated_on),
       count(*) FILTER (WHERE st.stated_on IS NOT NULL AND st.compared_at IS NULL AND s.quarantine IS NULL),
       count(*) FILTER (WHERE st.drifts),
       count(*) FILTER (WHERE st.drifts AND 'status' = ANY (st.differs_in)),
       count(*) FILTER (WHERE st.drifts AND 'principal_outstanding' = ANY (st.differs_in)),
       count(*) FILTER (WHERE st.drifts AND 'overdue' = ANY (st.differs_in)),
       count(*) FILTER (WHERE st.drifts AND 'days_past_due' = ANY (st.differs_in)),
       coalesce(sum(st.principal_drift_minor), 0), coalesce(max(st.principal_drift_minor), 0),
       count(*) FILTER (WHERE s.status IN (1, 2)), count(st.stated_on) FILTER (WHERE s.status IN (1, 2)),
       min(st.stated_on) FILTER (WHERE s.status IN (1, 2)), max(st.stated_on),
       min(coalesce(st.stated_on, s.cohort_on)) FILTER (WHERE s.status IN (1, 2))
FROM core.loan_state s
LEFT JOIN reporting.statement st USING (slice, loan_key)
GROUP BY s.book_key, s.currency_key, s.branch_key, s.product_key
HAVING count(st.stated_on) > 0 OR count(*) FILTER (WHERE s.status IN (1, 2)) > 0
