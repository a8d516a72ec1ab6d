SELECT sum(cash) / nullif(sum(due), 0) AS "Efficiency" FROM cash_days(@part, 7, 1)
