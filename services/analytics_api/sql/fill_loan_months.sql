-- Keep every loan ever paid out as it stood at month ends. $1: the moment these are marked with.
INSERT INTO reporting.loan_month (book_key, closing_on, slice, loan_key, currency_key, branch_key, product_key, bucket, status,
    days_past_due, principal_minor)
SELECT k.book_key, k.closing_on, s.slice, s.loan_key, s.currency_key, s.branch_key, s.product_key, s.bucket, s.status,
       s.days_past_due, s.principal_minor
FROM reporting.loan_month_mark k
CROSS JOIN LATERAL core.loans_on(k.book_key, k.closing_on, false) s
WHERE k.made_at = $1 AND s.status NOT IN (0, 5)
