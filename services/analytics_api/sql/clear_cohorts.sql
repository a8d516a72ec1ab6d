-- Forget the cohorts that are made again. $1: the moment they are marked with.
DELETE FROM reporting.cohort_mart m USING reporting.cohort_mark k WHERE k.book_key = m.book_key AND k.made_at = $1
