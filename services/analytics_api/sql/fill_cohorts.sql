-- Sum up loans by cohort and owner, up to the last close. $1: the moment their books are marked with.
INSERT INTO reporting.cohort_mart (book_key, currency_key, branch_key, product_key, officer_key, by_week, cohort_on,
    youngest_on, loans, disbursed_minor, known_loans, known_minor, defaulted_loans, defaulted_minor)
SELECT c.book_key, c.currency_key, c.branch_key, c.product_key, c.officer_key, c.by_week, c.cohort_on,
       max(c.disbursed_on), count(*), sum(c.disbursed_minor),
       count(*) FILTER (WHERE c.first_payment_known_on <= k.closed_on),
       coalesce(sum(c.disbursed_minor) FILTER (WHERE c.first_payment_known_on <= k.closed_on), 0),
       count(*) FILTER (WHERE c.first_payment_known_on <= k.closed_on AND c.first_payment_default),
       coalesce(sum(c.disbursed_minor) FILTER (WHERE c.first_payment_known_on <= k.closed_on AND c.first_payment_default), 0)
FROM reporting.cohort_mark k
JOIN core.loan_cohort c ON c.book_key = k.book_key AND c.disbursed_on <= k.closed_on
WHERE k.made_at = $1
GROUP BY c.book_key, c.currency_key, c.branch_key, c.product_key, c.officer_key, c.by_week, c.cohort_on
