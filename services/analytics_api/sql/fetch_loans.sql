-- One page of a book's loans: the page is cut on the states alone, names are joined to it.
-- The store puts the column asked for where `l.loan_id AS sort_key` and `sort_key ASC` stand; a join that nothing
-- asked for is left out by the planner.
-- $1: book key; $2: business day; $3: currency key, or null; $4, $5, $6: regions, branches, products, or null;
-- $7: statuses; $8: buckets; $9: risk bands, each or null; $10, $11: least and most days past due, or null;
-- $12: overdue only; $13: rows; $14: rows to leave out.
WITH page AS (
    SELECT s.slice, s.loan_key, l.loan_id AS sort_key
    FROM core.loan_state s
    LEFT JOIN core.loan l ON l.slice = s.slice AND l.loan_key = s.loan_key AND l.book_key = $1
    LEFT JOIN risk.score r ON r.slice = s.slice AND r.loan_key = s.loan_key
    LEFT JOIN core.branch br ON br.branch_key = s.branch_key
    LEFT JOIN core.product p ON p.product_key = s.product_key
    WHERE s.book_key = $1
      AND ($3::smallint IS NULL OR s.currency_key = $3)
      AND ($4::text[] IS NULL OR s.branch_key = ANY (ARRAY(
            SELECT branch_key FROM core.branch WHERE book_key = $1 AND coalesce(region, 'unknown') = ANY ($4)))
           OR (s.branch_key = 0 AND 'unknown' = ANY ($4)))
      AND ($5::text[] IS NULL OR s.branch_key = ANY (ARRAY(
            SELECT branch_key FROM core.branch WHERE book_key = $1 AND branch = ANY ($5)))
           OR (s.branch_key = 0 AND 'unknown' = ANY ($5)))
      AND ($6::text[] IS NULL OR s.product_key = ANY (ARRAY(
            SELECT product_key FROM core.product WHERE book_key = $1 AND product = ANY ($6)))
           OR (s.product_key = 0 AND 'unknown' = ANY ($6)))
      AND ($7::smallint[] IS NULL
           OR CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END = ANY ($7))
      AND ($8::smallint[] IS NULL OR s.bucket = ANY ($8))
      AND ($9::smallint[] IS NULL OR r.band = ANY ($9))
      AND ($10::integer IS NULL OR coalesce($2::date - s.past_due_on, 0) >= $10)
      AND ($11::integer IS NULL OR coalesce($2::date - s.past_due_on, 0) <= $11)
      AND (NOT $12::boolean OR s.overdue_minor > 0)
    ORDER BY sort_key ASC, s.slice, s.loan_key
    LIMIT $13 OFFSET $14
)
SELECT l.loan_id, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END AS status, s.bucket,
       coalesce($2::date - s.past_due_on, 0) AS days_past_due, s.estimated, s.quarantine,
       CASE WHEN s.next_boundary_on <= $2::date THEN s.as_of ELSE $2::date END AS as_of,
       s.disbursed_minor, s.paid_minor, s.principal_outstanding_minor, s.total_outstanding_minor, s.overdue_minor,
       s.next_due_on, s.next_due_minor, s.last_payment_on, s.unapplied_minor, l.disbursed_on,
       r.risk_score, r.band, r.default_probability, r.strategy, r.expected_loss_minor
FROM page
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product p ON p.product_key = s.product_key
LEFT JOIN risk.score r USING (slice, loan_key)
ORDER BY sort_key ASC, page.slice, page.loan_key
