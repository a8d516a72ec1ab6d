-- What is exposed to default, live, by stage, bucket and whole months to the last due day (at least one).
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: the business day; $7: charged-off loans too; $8: stage 3 from so many days past due; $9: stage 2 over so many.
SELECT CASE WHEN x.status = 6 OR x.days_past_due >= $8 THEN 3 WHEN x.days_past_due > $9 OR x.is_eased THEN 2 ELSE 1 END AS stage,
       x.bucket, greatest(core.months_until($6, d.last_due_on), 1) AS months,
       count(*) AS loans,
       sum(x.principal_minor + greatest(x.overdue_minor - x.overdue_principal_minor, 0))::bigint AS exposure_minor
FROM core.loans_on($1, $6, true) x
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
LEFT JOIN core.loan_plan plan ON plan.slice = x.slice AND plan.loan_key = x.loan_key
CROSS JOIN LATERAL (SELECT coalesce(max(i.due_on), $6::date) AS last_due_on FROM unnest(plan.due_on) AS i (due_on)) d
WHERE (x.status = 1 OR ($7::boolean AND x.status = 6)) AND x.currency_key = $2
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
GROUP BY 1, 2, 3
