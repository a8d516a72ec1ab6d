SELECT loan_id AS "Loan", branch AS "Branch", to_char(stated_on, 'YYYY-MM-DD') AS "Stated on", age_days AS "Age",
       replace(differs_in, '_', ' ') AS "Differs in", stated_principal AS "Principal stated", our_principal AS "Principal ours",
       principal_difference AS "Difference", stated_overdue AS "Overdue stated", our_overdue AS "Overdue ours",
       stated_days_past_due AS "DPD stated", our_days_past_due AS "DPD ours", replace(stated_status, '_', ' ') AS "Status stated",
       replace(our_status, '_', ' ') AS "Status ours"
FROM loan_drift WHERE @book AND currency = ${currency:sqlstring}
ORDER BY abs(principal_difference) DESC NULLS LAST, loan_id
LIMIT 20
