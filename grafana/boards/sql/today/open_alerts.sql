SELECT severity AS "Severity", loan_id AS "Loan", branch AS "Branch", replace(rule, '_', ' ') AS "Rule", days_past_due AS "DPD",
       overdue AS "Overdue", to_char(opened_on, 'YYYY-MM-DD') AS "Since", replace(state, '_', ' ') AS "State"
FROM alerts_now
WHERE book = ${book:sqlstring} AND region IN (${region:sqlstring}) AND branch IN (${branch:sqlstring})
ORDER BY baseline, severity_order DESC, overdue DESC NULLS LAST
LIMIT 50
