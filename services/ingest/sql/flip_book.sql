-- Copy the live roll-up as the close of the running day and open the next, if every slice's log has
-- reached the end of the day and the sweep of the day before is done; returns the day closed, or no row.
-- The book's advisory lock is held exclusively. $1: book key.
WITH ready AS (
    SELECT b.book_key, b.business_on AS closed_on
    FROM core.book b
    WHERE b.book_key = $1
      AND (SELECT count(*) FROM core.day_reached r
           WHERE r.book_key = b.book_key AND r.business_on >= b.business_on) = 16
      AND NOT EXISTS (SELECT 1 FROM core.day_roll d WHERE d.book_key = b.book_key AND d.swept_at IS NULL)
), copied AS (
    INSERT INTO core.book_day (slice, business_on, known_on, book_key, currency_key, branch_key, product_key, bucket, status,
        loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor, estimated_loans)
    SELECT n.slice & 15, r.closed_on, r.closed_on, n.book_key, n.currency_key, n.branch_key, n.product_key, n.bucket, n.status,
        sum(n.loans), sum(n.disbursed_minor), sum(n.paid_minor), sum(n.principal_minor), sum(n.outstanding_minor),
        sum(n.overdue_minor), sum(n.overdue_principal_minor), sum(n.estimated_loans)
    FROM ready r
    JOIN core.book_now n USING (book_key)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    HAVING (sum(n.loans), sum(n.disbursed_minor), sum(n.paid_minor), sum(n.principal_minor), sum(n.outstanding_minor),
            sum(n.overdue_minor), sum(n.overdue_principal_minor), sum(n.estimated_loans)) <> (0, 0, 0, 0, 0, 0, 0, 0)
), rolls AS (
    INSERT INTO core.day_roll (book_key, business_on, slice)
    SELECT book_key, closed_on, slice FROM ready, generate_series(0, 15) AS slice
)
UPDATE core.book b
SET business_on = r.closed_on + 1
FROM ready r
WHERE b.book_key = r.book_key
RETURNING r.closed_on
