SELECT severity AS "Severity", loan_id AS "Loan", branch AS "Branch", replace(rule, '_', ' ') AS "Rule", days_past_due AS "DPD",
       overdue AS "Overdue", to_char(opened_on, 'YYYY-MM-DD') AS "Since", replace(state, '_', ' ') AS "State"
FROM open_alerts(@places, 50)
