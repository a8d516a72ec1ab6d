SELECT CASE WHEN count(*) = 0 THEN 'never run'
            WHEN sum(differences) > 0 THEN 'differs in ' || sum(differences)
            WHEN max(age_seconds) > 86400 THEN 'old: ' || floor(max(age_seconds) / 86400) || ' d ago'
            ELSE 'exact, ' || CASE WHEN max(age_seconds) >= 5400 THEN round(max(age_seconds) / 3600) || ' h ago'
                                   ELSE round(max(age_seconds) / 60) || ' min ago' END END AS "Last verification"
FROM verification_last WHERE book IS NULL OR @book
