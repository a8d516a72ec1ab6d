-- The close that a book's cohorts were made for; no row until they have been. $1: book key.
SELECT closed_on FROM reporting.cohort_mark WHERE book_key = $1
