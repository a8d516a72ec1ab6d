SELECT reason AS "Reason", count(*) AS "Open", to_char(min(first_seen), 'YYYY-MM-DD') AS "Oldest",
       count(*) FILTER (WHERE corrected_at IS NOT NULL AND approved_at IS NULL) AS "To approve", field AS "Field"
FROM dead_letters_now WHERE replayed_at IS NULL
GROUP BY reason, field ORDER BY count(*) DESC, reason
LIMIT 20
