SELECT abs(missing) AS "Events unaccounted for" FROM event_fates
