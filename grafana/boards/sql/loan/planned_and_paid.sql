SELECT (extract(epoch FROM on_date) * 1000)::bigint AS "day", planned AS "Planned", paid AS "Paid"
FROM loan_curve WHERE @loan ORDER BY on_date
