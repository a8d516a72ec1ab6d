-- How many differences of each roll-up no merge has added to its cells yet.
SELECT (SELECT count(*) FROM core.book_now_unmerged) AS book_now,
       (SELECT count(*) FROM core.cash_day_unmerged) AS cash_day,
       (SELECT count(*) FROM core.cash_minute_unmerged) AS cash_minute
