-- Forget the moves that are counted again. $1: the moment their pairs of closes are marked with.
DELETE FROM reporting.roll_mart m
USING reporting.roll_mark k
WHERE k.book_key = m.book_key AND k.opening_on = m.opening_on AND k.closing_on = m.closing_on AND k.made_at = $1
