-- Add the differences of the live roll-up to its cells; whoever reads sees the same sums before and after.
WITH gone AS (
    DELETE FROM core.book_now_unmerged RETURNING *
)
INSERT INTO core.book_now_merged AS b (slice, book_key, currency_key, branch_key, product_key, bucket, status,
    loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor,
    estimated_loans)
SELECT slice & 15, book_key, currency_key, branch_key, product_key, bucket, status,
       core.total(loans), core.total(disbursed_minor), core.total(paid_minor), core.total(principal_minor), core.total(outstanding_minor),
       core.total(overdue_minor), core.total(overdue_principal_minor), core.total(estimated_loans)
FROM gone
GROUP BY 1, 2, 3, 4, 5, 6, 7
HAVING (core.total(loans), core.total(disbursed_minor), core.total(paid_minor), core.total(principal_minor), core.total(outstanding_minor),
        core.total(overdue_minor), core.total(overdue_principal_minor), core.total(estimated_loans)) <> (0, 0, 0, 0, 0, 0, 0, 0)
ORDER BY 1, 2, 3, 4, 5, 6, 7  -- as the key: neighbors lie in the same pages
ON CONFLICT (slice, book_key, currency_key, branch_key, product_key, bucket, status) DO UPDATE
SET loans = b.loans + excluded.loans,
    disbursed_minor = b.disbursed_minor + excluded.disbursed_minor,
    paid_minor = b.paid_minor + excluded.paid_minor,
    principal_minor = b.principal_minor + excluded.principal_minor,
    outstanding_minor = b.outstanding_minor + excluded.outstanding_minor,
    overdue_minor = b.overdue_minor + excluded.overdue_minor,
    overdue_principal_minor = b.overdue_principal_minor + excluded.overdue_principal_minor,
    estimated_loans = b.estimated_loans + excluded.estimated_loans
