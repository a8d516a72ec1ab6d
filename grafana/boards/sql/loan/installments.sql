SELECT number AS "No.", to_char(due_on, 'YYYY-MM-DD') AS "Due on", due AS "Due", paid AS "Paid", outstanding AS "Left",
       state AS "State", days_late AS "Days late", to_char(met_on, 'YYYY-MM-DD') AS "Met on"
FROM installments WHERE @loan ORDER BY number
