SELECT replace(reason, '_', ' ') AS "Reason", count(*) AS "Events", count(DISTINCT loan_id) AS "Loans", sum(amount) AS "Amount"
FROM unapplied_now WHERE @book AND currency = ${currency:sqlstring}
GROUP BY reason ORDER BY sum(amount) DESC
