SELECT CASE s.reason WHEN 'not_rolled' THEN 'not rolled' ELSE s.reason END AS "Reason", coalesce(sum(n.loans), 0)::bigint AS "Loans",
       coalesce(sum(n.principal), 0) AS "Principal", s.meaning AS "Meaning"
FROM (VALUES (1, 'not_rolled', 'its day has come and it was not brought there'),
             (2, 'drifting', 'upstream''s latest statement differs from our figures'),
             (3, 'unheard', 'upstream states loans, and is long silent about this one')) s (place, reason, meaning)
LEFT JOIN stale_now n ON n.reason = s.reason AND n.book = ${book:sqlstring} AND n.currency = ${currency:sqlstring}
GROUP BY s.place, s.reason, s.meaning ORDER BY s.place
