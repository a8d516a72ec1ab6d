-- The largest holders of a book's principal, with the whole of it and the squares that a Herfindahl index is made of.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: the day; $7: live, or at the close of that day; $8: branch, region, product, officer or borrower; $9: holders at most.
WITH held AS MATERIALIZED (
    SELECT coalesce(CASE $8::text WHEN 'branch' THEN br.branch WHEN 'region' THEN br.region WHEN 'product' THEN p.product
                                  WHEN 'officer' THEN o.officer ELSE l.borrower_id END, 'unknown') AS holder,
           count(*) AS loans, sum(x.principal_minor)::bigint AS principal_minor,
           count(*) FILTER (WHERE x.days_past_due > 30) AS par30_loans,
           coalesce(sum(x.principal_minor) FILTER (WHERE x.days_past_due > 30), 0)::bigint AS par30_minor
    FROM core.loans_on($1, $6, $7) x
    LEFT JOIN core.branch br USING (branch_key)
    LEFT JOIN core.product p USING (product_key)
    LEFT JOIN core.officer o USING (officer_key)
    LEFT JOIN core.loan l ON $8 = 'borrower' AND l.slice = x.slice AND l.loan_key = x.loan_key
    WHERE x.status = 1 AND x.currency_key = $2
      AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
      AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
      AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
    GROUP BY 1
), whole AS (
    SELECT count(*) AS holders, sum(loans)::bigint AS all_loans, sum(principal_minor)::bigint AS all_minor,
           sum(principal_minor::numeric * principal_minor) AS squares, sum(par30_loans)::bigint AS all_par30_loans,
           sum(par30_minor)::bigint AS all_par30_minor, sum(par30_minor::numeric * par30_minor) AS par30_squares
    FROM held
)
SELECT held.*, whole.*
FROM held CROSS JOIN whole
ORDER BY held.principal_minor DESC, held.holder
LIMIT $9
