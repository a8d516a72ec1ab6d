SELECT CASE WHEN status = 'active' THEN bucket ELSE replace(status, '_', ' ') END AS "Bucket" FROM loan_now WHERE @loan
