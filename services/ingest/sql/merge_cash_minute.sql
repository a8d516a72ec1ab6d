-- Add the payments taken in to their minutes; whoever reads sees the same sums before and after.
WITH gone AS (
    DELETE FROM core.cash_minute_unmerged RETURNING *
)
INSERT INTO core.cash_minute_merged AS c (slice, book_key, currency_key, branch_key, minute, payments, amount_minor)
SELECT slice & 15, book_key, currency_key, branch_key, minute, core.total(payments), core.total(amount_minor)
FROM gone
GROUP BY 1, 2, 3, 4, 5
ORDER BY 2, 5, 3, 4, 1  -- as the key: neighbors lie in the same pages
ON CONFLICT (book_key, minute, currency_key, branch_key, slice) DO UPDATE
SET payments = c.payments + excluded.payments, amount_minor = c.amount_minor + excluded.amount_minor
