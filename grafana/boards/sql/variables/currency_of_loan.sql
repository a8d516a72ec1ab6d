SELECT currency FROM loan_now WHERE @loan
