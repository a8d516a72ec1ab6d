-- Whose word counts for an event type of a book, where that is settled.
-- $1: book key.
SELECT type_key, source_key FROM core.authority WHERE book_key = $1
