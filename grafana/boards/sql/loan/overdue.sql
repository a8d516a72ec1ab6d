SELECT overdue AS "Overdue" FROM loan_now WHERE @loan
