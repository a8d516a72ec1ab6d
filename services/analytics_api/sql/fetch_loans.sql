-- Some loans of a book in the order given, as they are now; those that no longer pass the filter are left out.
-- $1: book key; $2: business day; $3: currency key, or null; $4, $5, $6: regions, branches, products, or null;
-- $7: statuses; $8: buckets; $9: risk bands, each or null; $10, $11: least and most days past due, or null;
-- $12: overdue only; $13: slices; $14: loan keys.
SELECT l.loan_id, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END AS status, s.bucket,
       coalesce($2::date - s.past_due_on, 0) AS days_past_due, s.estimated, s.quarantine,
       CASE WHEN s.next_boundary_on <= $2::date THEN s.as_of ELSE $2::date END AS as_of,
       s.disbursed_minor, s.paid_minor, s.principal_outstanding_minor, s.total_outstanding_minor, s.overdue_minor,
       s.next_due_on, s.next_due_minor, s.last_payment_on, s.unapplied_minor, l.disbursed_on,
       r.risk_score, r.band, r.default_probability, r.strategy, r.expected_loss_minor
FROM unnest($13::smallint[], $14::bigint[]) WITH ORDINALITY AS page (slice, loan_key, place)
JOIN core.loan_state s ON s.slice = page.slice AND s.loan_key = page.loan_key
JOIN core.loan l ON l.slice = page.slice AND l.loan_key = page.loan_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product p ON p.product_key = s.product_key
LEFT JOIN risk.score r ON r.slice = page.slice AND r.loan_key = page.loan_key
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
ORDER BY page.place
