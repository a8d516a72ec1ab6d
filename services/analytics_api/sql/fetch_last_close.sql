-- The latest day on or before a day that a book has closed.
-- $1: book key; $2: the day.
SELECT max(business_on) AS business_on FROM core.book_day WHERE book_key = $1 AND business_on <= $2::date
