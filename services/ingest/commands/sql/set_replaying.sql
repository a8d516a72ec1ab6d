-- Say whether a book's history is loading. $1: book key, $2: whether it is.
UPDATE core.book SET replaying = $2 WHERE book_key = $1 AND replaying <> $2
