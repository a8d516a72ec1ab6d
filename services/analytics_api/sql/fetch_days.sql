-- The running business day of each book and how far it has rolled.
-- $1: book, or null for all.
SELECT book, business_on, day_state, replaying FROM reporting.day_roll_now WHERE $1::text IS NULL OR book = $1 ORDER BY book
