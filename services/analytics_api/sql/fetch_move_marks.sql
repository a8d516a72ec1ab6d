-- The months of a book whose moves have been counted, with their closes.
-- $1: book key; $2: the first month; $3: the last.
SELECT month, opening_on, closing_on, as_of
FROM reporting.move_mark
WHERE book_key = $1 AND month BETWEEN $2::date AND $3::date
ORDER BY month
