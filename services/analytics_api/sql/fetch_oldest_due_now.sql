-- The oldest due date that an active loan is behind with, as the minute's table has it, and when that was made; no row where
-- it is older than five minutes. $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all.
SELECT (SELECT m.past_due_on
        FROM reporting.past_due_mart m
        LEFT JOIN core.branch br USING (branch_key)
        LEFT JOIN core.product p USING (product_key)
        WHERE m.book_key = $1 AND m.currency_key = $2
          AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
          AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
          AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
        ORDER BY m.past_due_on
        LIMIT 1) AS past_due_on,
       r.refreshed_at
FROM reporting.mart_refresh r
WHERE r.mart = 'past_due' AND r.refreshed_at > now() - interval '5 minutes'
