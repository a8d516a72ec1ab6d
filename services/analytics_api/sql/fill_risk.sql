-- Active loans by risk band, with exposure and expected loss.
INSERT INTO reporting.risk_mart (book_key, currency_key, branch_key, product_key, band, basis, loans, exposure_minor,
    expected_loss_minor)
SELECT s.book_key, s.currency_key, s.branch_key, s.product_key, r.band, r.basis, count(*), sum(r.exposure_minor),
       sum(r.expected_loss_minor)
FROM core.loan_state s JOIN risk.score r USING (slice, loan_key)
WHERE s.status = 1 AND s.charged_off_on IS NULL
GROUP BY s.book_key, s.currency_key, s.branch_key, s.product_key, r.band, r.basis
