SELECT outstanding AS "Outstanding" FROM loan_now WHERE @loan
