SELECT to_char(day, 'DD Mon') AS "day", due AS "Due", due_collected AS "Collected in time", cash AS "All cash"
FROM cash_days(@part, 13, 0) ORDER BY cash_days.day
