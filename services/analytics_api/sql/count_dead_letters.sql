-- Dead letters not yet replayed, by topic.
SELECT topic, count(*) AS letters FROM core.dead_letter WHERE replayed_at IS NULL GROUP BY topic
