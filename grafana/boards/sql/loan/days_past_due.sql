SELECT days_past_due AS "Days past due" FROM loan_now WHERE @loan
