-- Sum up tallies by month, up to the last close, where another day has closed, or loans were folded anew and none waits any more ($1).
INSERT INTO reporting.tally_month_mart (book_key, currency_key, branch_key, product_key, month, measure, items, total)
SELECT d.book_key, d.currency_key, d.branch_key, d.product_key, date_trunc('month', d.day)::date AS month,
       -- 8, not met, is 7, missed, once 30 days have passed
       CASE WHEN d.measure = 8 AND d.day < k.as_of - 30 THEN 7 ELSE d.measure END AS measure, sum(d.items), sum(d.total)
FROM reporting.tally_mark k
JOIN reporting.tally_day d ON d.book_key = k.book_key AND d.day <= k.as_of AND d.measure < 100  -- others are days to resolve
WHERE (k.summed_on < k.as_of OR ($1::boolean AND k.summed_on IS NULL))
  AND (d.measure NOT BETWEEN 5 AND 8 OR d.day < k.as_of)  -- how it went is asked once its due day is over
GROUP BY d.book_key, d.currency_key, d.branch_key, d.product_key, month, 6
HAVING sum(d.items) <> 0 OR sum(d.total) <> 0
