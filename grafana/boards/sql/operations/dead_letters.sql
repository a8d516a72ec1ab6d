SELECT count(*) AS "Dead letters" FROM dead_letters_now WHERE replayed_at IS NULL
