-- Forget the moves of a month, which are counted anew.
-- $1: book key; $2: month.
DELETE FROM reporting.move_mart WHERE book_key = $1 AND month = $2
