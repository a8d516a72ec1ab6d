SELECT loan_id AS "Loan" FROM loan_now WHERE @loan
