-- Forget the vintages that are made again. $1: the moment their books are marked with.
DELETE FROM reporting.vintage_mart m USING reporting.cohort_mark k WHERE k.book_key = m.book_key AND k.made_at = $1
