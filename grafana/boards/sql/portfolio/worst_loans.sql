SELECT risk_band AS "Band", loan_id AS "Loan", branch AS "Branch", product AS "Product", risk_score AS "Risk score",
       expected_loss AS "Expected loss", exposure AS "Exposure", overdue AS "Overdue", days_past_due AS "DPD",
       to_char(last_payment_on, 'YYYY-MM-DD') AS "Last payment", reason AS "Main reason"
FROM worst_loans(@part, 20) ORDER BY expected_loss DESC
