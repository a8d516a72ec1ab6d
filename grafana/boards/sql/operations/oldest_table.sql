SELECT max(age_seconds) AS "Oldest table" FROM marts_now
