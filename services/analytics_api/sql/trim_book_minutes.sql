-- Forget marks of the roll-up from before a moment.
-- $1: the moment.
DELETE FROM reporting.book_minute WHERE at < $1
