SELECT CASE WHEN bool_and(data_age_seconds IS NOT NULL) THEN max(data_age_seconds) END AS "Data as of"
FROM freshness WHERE @book
