SELECT max(oldest_unconfirmed_days) AS "Oldest unconfirmed"
FROM reconciliation WHERE @book AND EXISTS (SELECT 1 FROM reconciliation s WHERE s.book = ${book:sqlstring} AND s.stated > 0)
