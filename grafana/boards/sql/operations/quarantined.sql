SELECT count(*) AS "Quarantined" FROM quarantined_loans WHERE @book
