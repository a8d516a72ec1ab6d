-- Every book with its running business day.
SELECT book_key, book, business_on FROM core.book
