-- The running business day of every book, to notice that one has changed.
SELECT book, business_on FROM core.book ORDER BY book
