-- Count loans by the age at which they were first more than 30 and 90 days past due at a close. $1: the moment their books are marked with.
-- The worst lateness ever stands in the state and leaves few loans; when they passed a threshold is in their daily history:
-- an entry holds from its day until the first day that a later telling speaks of.
-- Loan by loan, so that no join of all loans with all histories hangs on what the planner thinks how many are late.
WITH late AS MATERIALIZED (
    SELECT c.*, k.closed_on
    FROM reporting.cohort_mark k
    JOIN core.book b USING (book_key)
    JOIN core.loan_cohort c ON c.book_key = k.book_key AND c.disbursed_on <= k.closed_on
    WHERE k.made_at = $1 AND greatest(c.max_dpd, b.business_on - c.past_due_on) > 30
), aged AS (
    SELECT l.*, p.over_days,
           CASE WHEN l.by_week THEN (p.passed_on - l.disbursed_on + 6) / 7
                ELSE core.months_until(l.disbursed_on, p.passed_on) END AS age
    FROM late l
    CROSS JOIN LATERAL (
        SELECT o.over_days, min(greatest(s.on_date, s.past_due_on + o.over_days + 1)) AS passed_on
        FROM (
            SELECT on_date, past_due_on, min(on_date) OVER (ORDER BY known_on DESC, on_date DESC
                                                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
            FROM (
                SELECT d.on_date, d.known_on, d.past_due_on
                FROM core.loan_day d WHERE d.slice = l.slice AND d.loan_key = l.loan_key
                UNION ALL
                SELECT l.as_of, l.as_of, l.past_due_on
            ) told
        ) s
        CROSS JOIN (VALUES (30), (90)) AS o (over_days)
        WHERE s.past_due_on IS NOT NULL
          AND (s.until IS NULL OR greatest(s.on_date, s.past_due_on + o.over_days + 1) < s.until)
        GROUP BY o.over_days
    ) p
    WHERE p.passed_on <= l.closed_on
)
INSERT INTO reporting.vintage_mart (book_key, currency_key, branch_key, product_key, by_week, cohort_on, over_days, age,
    loans, disbursed_minor)
SELECT book_key, currency_key, branch_key, product_key, by_week, cohort_on, over_days, age, count(*), sum(disbursed_minor)
FROM aged
GROUP BY book_key, currency_key, branch_key, product_key, by_week, cohort_on, over_days, age
