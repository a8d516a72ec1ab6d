SELECT coalesce(risk_band || ' ' || risk_score, 'not scored') AS "Risk" FROM loan_now WHERE @loan
