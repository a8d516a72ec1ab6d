-- Forget the sums of months that are made again: another day has closed, or loans were folded anew and none waits any more ($1).
DELETE FROM reporting.tally_month_mart m
USING reporting.tally_mark k
WHERE k.book_key = m.book_key AND (k.summed_on < k.as_of OR ($1::boolean AND k.summed_on IS NULL))
