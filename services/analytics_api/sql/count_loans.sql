-- How many loans of a book pass a filter, counted on the states; parameters as in fetch_loans.
SELECT count(*) AS loans
FROM core.loan_state s
LEFT JOIN risk.score r ON r.slice = s.slice AND r.loan_key = s.loan_key
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
