-- Let every worker read the settings of a book's products again. $1: book key.
UPDATE core.book SET settings_version = settings_version + 1 WHERE book_key = $1
