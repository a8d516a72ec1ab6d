-- The close that the tallies of a book stand for, and the loans that still wait to be folded for it.
-- $1: book key.
SELECT as_of, waiting_loans FROM reporting.tally_mark WHERE book_key = $1
