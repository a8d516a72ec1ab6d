-- Cells of the live roll-up that are not the sum of the loans' states. $1: book key.
WITH recomputed AS (
    SELECT book_key, currency_key, branch_key, product_key, bucket,
           CASE WHEN status = 1 AND charged_off_on IS NOT NULL THEN 6 ELSE status END AS status,
           ARRAY[count(*), sum(disbursed_minor), sum(paid_minor), sum(principal_outstanding_minor),
                 sum(total_outstanding_minor), sum(overdue_minor), sum(overdue_principal_minor),
                 count(*) FILTER (WHERE estimated)]::bigint[] AS measures
    FROM core.loan_state
    WHERE book_key = $1
    GROUP BY 1, 2, 3, 4, 5, 6
), stored AS (
    SELECT book_key, currency_key, branch_key, product_key, bucket, status,
           ARRAY[sum(loans), sum(disbursed_minor), sum(paid_minor), sum(principal_minor), sum(outstanding_minor),
                 sum(overdue_minor), sum(overdue_principal_minor), sum(estimated_loans)]::bigint[] AS measures
    FROM core.book_now
    WHERE book_key = $1
    GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT book_key, currency_key, branch_key, product_key, bucket, status,
       coalesce(stored.measures, array_fill(0::bigint, ARRAY[8])) AS stored,
       coalesce(recomputed.measures, array_fill(0::bigint, ARRAY[8])) AS recomputed
FROM stored
FULL JOIN recomputed USING (book_key, currency_key, branch_key, product_key, bucket, status)
WHERE coalesce(stored.measures, array_fill(0::bigint, ARRAY[8]))
      <> coalesce(recomputed.measures, array_fill(0::bigint, ARRAY[8]))
ORDER BY 1, 2, 3, 4, 5, 6
