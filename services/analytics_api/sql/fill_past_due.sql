-- Active loans with arrears by the due date they are behind with.
INSERT INTO reporting.past_due_mart (book_key, currency_key, branch_key, product_key, past_due_on, loans, principal_minor,
    overdue_minor)
SELECT book_key, currency_key, branch_key, product_key, past_due_on, count(*), sum(principal_outstanding_minor),
       sum(overdue_minor)
FROM core.loan_state
WHERE status = 1 AND charged_off_on IS NULL AND past_due_on IS NOT NULL
GROUP BY book_key, currency_key, branch_key, product_key, past_due_on
