SELECT topic AS "Topic", partition AS "Partition", next_offset AS "Position", data_age_seconds AS "Data age",
       CASE WHEN paused_reason IS NOT NULL THEN 'stopped: ' || paused_reason WHEN caught_up_at IS NULL THEN 'catching up'
            ELSE 'reading' END AS "State", owner AS "Worker"
FROM partitions_now
ORDER BY paused_reason IS NULL, data_age_seconds DESC NULLS FIRST, topic, partition
LIMIT 64
