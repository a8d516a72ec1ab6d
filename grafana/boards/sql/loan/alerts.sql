SELECT severity AS "Severity", replace(rule, '_', ' ') AS "Rule", replace(state, '_', ' ') AS "State", to_char(opened_on, 'YYYY-MM-DD') AS "Opened",
       to_char(closed_on, 'YYYY-MM-DD') AS "Closed", close_reason AS "Ended by", acknowledged_by AS "Taken by"
FROM alerts WHERE @loan ORDER BY opened_on DESC, episode_id DESC LIMIT 50
