SELECT loan_id AS "Loan", to_char(changed_at, 'YYYY-MM-DD') AS "Since", events AS "Events", reason AS "Reason"
FROM quarantined_loans WHERE @book
ORDER BY changed_at
LIMIT 50
