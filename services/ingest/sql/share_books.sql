-- Keep every book's business day from flipping until this transaction ends, then read the days. $1: lock class.
SELECT book_key, book, business_on, settings_version FROM core.share_books($1)
