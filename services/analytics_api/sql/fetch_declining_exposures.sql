-- What stage 2 exposes in each coming month, live, by bucket: less the principal that falls due by plan before it.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: the business day; $7: stage 3 from so many days past due; $8: stage 2 over so many.
-- What was waived of an installment is taken to be interest and charges first: the plan holds it as one amount.
WITH raised AS MATERIALIZED (
    SELECT x.slice, x.loan_key, x.bucket,
           x.principal_minor + greatest(x.overdue_minor - x.overdue_principal_minor, 0) AS exposure_minor
    FROM core.loans_on($1, $6, true) x
    LEFT JOIN core.branch br USING (branch_key)
    LEFT JOIN core.product p USING (product_key)
    WHERE x.status = 1 AND x.days_past_due < $7 AND (x.days_past_due > $8 OR x.is_eased) AND x.currency_key = $2
      AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
      AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
      AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
), plans AS MATERIALIZED (
    SELECT r.slice, r.loan_key, i.due_on, core.months_until($6, i.due_on) + 1 AS gone_by,
           least(coalesce(i.principal, 0) - coalesce(i.principal_paid, 0),
                 coalesce(i.principal, 0) + coalesce(i.interest, 0) + coalesce(i.fee, 0) + coalesce(i.penalty, 0)
                 - coalesce(i.principal_paid, 0) - coalesce(i.interest_paid, 0) - coalesce(i.fee_paid, 0)
                 - coalesce(i.penalty_paid, 0) - coalesce(i.waived, 0)) AS open_minor
    FROM raised r
    JOIN core.installment_plan p USING (slice, loan_key)
    CROSS JOIN LATERAL unnest(p.due_on, p.principal_due, p.interest_due, p.fee_due, p.penalty_due, p.principal_paid,
                              p.interest_paid, p.fee_paid, p.penalty_paid, p.waived)
        AS i (due_on, principal, interest, fee, penalty, principal_paid, interest_paid, fee_paid, penalty_paid, waived)
), dues AS (
    SELECT slice, loan_key, gone_by AS month, sum(open_minor) AS open_minor
    FROM plans WHERE due_on >= $6 GROUP BY slice, loan_key, gone_by
), spans AS (
    SELECT r.*, greatest(coalesce(max(p.gone_by) - 1, 1), 1) AS months
    FROM raised r LEFT JOIN plans p USING (slice, loan_key)
    GROUP BY r.slice, r.loan_key, r.bucket, r.exposure_minor
), left_over AS (
    SELECT s.bucket, k.month,
           s.exposure_minor - sum(coalesce(d.open_minor, 0)) OVER (PARTITION BY s.slice, s.loan_key ORDER BY k.month) AS exposure_minor
    FROM spans s
    CROSS JOIN LATERAL generate_series(1, s.months) AS k (month)
    LEFT JOIN dues d ON d.slice = s.slice AND d.loan_key = s.loan_key AND d.month = k.month
)
SELECT bucket, month, sum(greatest(exposure_minor, 0))::bigint AS exposure_minor
FROM left_over
GROUP BY bucket, month
ORDER BY bucket, month
