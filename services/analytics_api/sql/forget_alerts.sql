-- Alerts that are no longer open leave the minute's table.
DELETE FROM reporting.alert_mart m
WHERE NOT EXISTS (
    SELECT FROM risk.alert_episode a WHERE a.episode_id = m.episode_id AND a.state NOT IN ('resolved', 'withdrawn')
)
