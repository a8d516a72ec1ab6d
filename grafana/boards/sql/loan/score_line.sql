SELECT (extract(epoch FROM as_of) * 1000)::bigint AS "day", max(risk_score) AS "Risk score"
FROM loan_scores WHERE @loan GROUP BY as_of ORDER BY as_of
