-- Of installments late by a day or more, those met within each number of days, and those old enough to know, at the last close.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: the first due day; $7: the last; $8: the close; $9: days at most.
WITH told AS MATERIALIZED (
    SELECT t.day, CASE WHEN t.measure > 100 THEN t.measure - 100 END AS met_after, t.measure BETWEEN 6 AND 8 AS is_late,
           sum(t.items) AS items, sum(t.total) AS total
    FROM reporting.tally_day t
    LEFT JOIN core.branch br USING (branch_key)
    LEFT JOIN core.product p USING (product_key)
    WHERE t.book_key = $1 AND t.currency_key = $2 AND t.day BETWEEN $6::date AND $7::date
      AND (t.measure > 100 OR t.measure BETWEEN 6 AND 8)  -- met after so many days; late, missed, unmet
      AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
      AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
      AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
    GROUP BY 1, 2, 3
)
SELECT n AS within_days,
       coalesce(sum(items) FILTER (WHERE is_late), 0)::bigint AS late, coalesce(sum(total) FILTER (WHERE is_late), 0)::bigint AS late_minor,
       coalesce(sum(items) FILTER (WHERE met_after <= n), 0)::bigint AS met,
       coalesce(sum(total) FILTER (WHERE met_after <= n), 0)::bigint AS met_minor
FROM generate_series(1, $9::integer) n
LEFT JOIN told ON told.day + n < $8::date
GROUP BY n
ORDER BY n
