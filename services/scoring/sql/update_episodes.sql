-- Move episodes that exist: escalate, re-open, close, or count the days towards the end. An acknowledgement ends with
-- the level it was for, so that anybody may acknowledge the next one.
-- One array a column: $1 episode, $2 move, $3 state, $4 severity, $5 leaving since, $6 close reason, $7 as of.
UPDATE risk.alert_episode e SET
    state = g.state,
    severity = g.severity,
    leaving_since = g.leaving_since,
    escalated_at = CASE WHEN g.move = 'escalated' THEN now() ELSE e.escalated_at END,
    reopened_on = CASE WHEN g.move = 'reopened' THEN g.as_of ELSE e.reopened_on END,
    acknowledged_by = CASE WHEN g.move IN ('escalated', 'reopened') AND g.state = 'open' THEN NULL ELSE e.acknowledged_by END,
    acknowledged_at = CASE WHEN g.move IN ('escalated', 'reopened') AND g.state = 'open' THEN NULL ELSE e.acknowledged_at END,
    closed_on = CASE g.move WHEN 'closed' THEN g.as_of WHEN 'reopened' THEN NULL ELSE e.closed_on END,
    closed_at = CASE g.move WHEN 'closed' THEN now() WHEN 'reopened' THEN NULL ELSE e.closed_at END,
    close_reason = CASE g.move WHEN 'closed' THEN g.close_reason WHEN 'reopened' THEN NULL ELSE e.close_reason END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::date[], $6::text[], $7::date[])
    AS g (episode_id, move, state, severity, leaving_since, close_reason, as_of)
WHERE e.episode_id = g.episode_id
