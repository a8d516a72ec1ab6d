-- Active loans whose figures nobody vouches for, each under its first reason.
-- $1: of a loan that upstream should speak of, nothing was heard for more than so many days.
INSERT INTO reporting.stale_mart (book_key, currency_key, branch_key, product_key, bucket, reason, loans, principal_minor)
SELECT book_key, currency_key, branch_key, product_key, bucket, reason, count(*), sum(principal_outstanding_minor)
FROM (
    SELECT s.book_key, s.currency_key, s.branch_key, s.product_key, s.bucket, s.principal_outstanding_minor,
           CASE WHEN s.next_boundary_on <= b.business_on THEN 'not_rolled'
                WHEN st.drifts THEN 'drifting'
                WHEN stating.book_key IS NOT NULL
                     AND b.business_on - greatest(st.stated_on, s.last_effective_on) > $1::integer THEN 'unheard'
           END AS reason
    FROM core.loan_state s
    JOIN core.book b USING (book_key)
    LEFT JOIN reporting.statement st USING (slice, loan_key)
    LEFT JOIN (SELECT DISTINCT book_key FROM reporting.reconciliation_mart WHERE stated > 0) stating ON stating.book_key = s.book_key
    WHERE s.status = 1 AND s.charged_off_on IS NULL
) loans
WHERE reason IS NOT NULL
GROUP BY book_key, currency_key, branch_key, product_key, bucket, reason
