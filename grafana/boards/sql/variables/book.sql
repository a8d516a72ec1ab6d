SELECT book FROM books ORDER BY book
