-- Forget the month ends that are kept anew. $1: the moment they are marked with.
DELETE FROM reporting.loan_month m
USING reporting.loan_month_mark k
WHERE k.book_key = m.book_key AND k.closing_on = m.closing_on AND k.made_at = $1
