-- A book by an attribute of its borrowers, bucket and status, at a day as known on a day; attributes as they are now.
-- A loan's state holds since its day; before it, the entry of its history that was told last.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products of the loans, or null for all;
-- $6: the attribute; $7: the day; $8: known until this day, or null for all that is known now;
-- $9: whether the day is the running one.
WITH stood AS (
    SELECT s.slice, s.loan_key, s.branch_key, s.product_key, s.bucket,
           CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END::smallint AS status,
           s.estimated::integer AS estimated_loans, s.disbursed_minor, s.paid_minor,
           s.principal_outstanding_minor AS principal_minor, s.total_outstanding_minor AS outstanding_minor,
           s.overdue_minor, s.overdue_principal_minor
    FROM core.loan_state s
    WHERE s.book_key = $1 AND s.currency_key = $2 AND s.as_of <= $7::date
    UNION ALL
    (SELECT DISTINCT ON (d.slice, d.loan_key)
            d.slice, d.loan_key, d.branch_key, d.product_key, d.bucket, d.status, d.estimated_loans, d.disbursed_minor,
            d.paid_minor, d.principal_minor, d.outstanding_minor, d.overdue_minor, d.overdue_principal_minor
     FROM core.loan_day d
     WHERE NOT $9::boolean
       AND d.book_key = $1 AND d.currency_key = $2 AND d.on_date <= $7::date
       AND ($8::date IS NULL OR d.known_on <= $8)
       AND NOT EXISTS (
           SELECT 1 FROM core.loan_state s
           WHERE s.slice = d.slice AND s.loan_key = d.loan_key AND s.as_of <= $7::date
       )
     ORDER BY d.slice, d.loan_key, d.known_on DESC, d.on_date DESC)
), labelled AS (
    SELECT stood.*,
           CASE $6::text
               WHEN 'gender' THEN w.gender
               WHEN 'education' THEN w.education
               WHEN 'employment' THEN w.employment
               WHEN 'housing' THEN w.housing
               WHEN 'region' THEN w.region
               WHEN 'dependents' THEN w.dependents::text
               WHEN 'age_band' THEN CASE
                   WHEN w.age < 18 THEN 'under 18' WHEN w.age < 25 THEN '18-24' WHEN w.age < 35 THEN '25-34'
                   WHEN w.age < 45 THEN '35-44' WHEN w.age < 55 THEN '45-54' WHEN w.age < 65 THEN '55-64'
                   WHEN w.age >= 65 THEN '65+' END
           END AS label
    FROM stood
    JOIN core.loan l USING (slice, loan_key)
    LEFT JOIN LATERAL (
        SELECT b.*, extract(year FROM $7::date) - b.birth_year AS age
        FROM core.borrower b WHERE b.book_key = l.book_key AND b.borrower_id = l.borrower_id
    ) w ON true
    LEFT JOIN core.branch br USING (branch_key)
    LEFT JOIN core.product p USING (product_key)
    WHERE ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
      AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
      AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
)
SELECT coalesce(label, 'unknown') AS label, bucket, status, count(*) AS loans, sum(estimated_loans)::bigint AS estimated_loans,
       sum(disbursed_minor)::bigint AS disbursed_minor, sum(paid_minor)::bigint AS paid_minor,
       sum(principal_minor)::bigint AS principal_minor, sum(outstanding_minor)::bigint AS outstanding_minor,
       sum(overdue_minor)::bigint AS overdue_minor, sum(overdue_principal_minor)::bigint AS overdue_principal_minor
FROM labelled
GROUP BY 1, 2, 3
