-- Loans by IFRS 9 stage.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: the day; $7: live, or at the close of that day; $8: charged-off loans too; $9: stage 3 from so many days past due; $10: stage 2 over so many.
SELECT CASE WHEN x.status = 6 OR x.days_past_due >= $9 THEN 3 WHEN x.days_past_due > $10 OR x.is_eased THEN 2 ELSE 1 END AS stage,
       count(*) AS loans, sum(x.principal_minor)::bigint AS principal_minor,
       sum(x.principal_minor + greatest(x.overdue_minor - x.overdue_principal_minor, 0))::bigint AS exposure_minor
FROM core.loans_on($1, $6, $7) x
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE (x.status = 1 OR ($8::boolean AND x.status = 6)) AND x.currency_key = $2
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY 1
