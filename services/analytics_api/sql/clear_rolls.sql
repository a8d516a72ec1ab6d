-- Forget the moves that are counted again, and those up to an earlier day of their month. $1: the moment their pairs of closes are marked with.
WITH outdated AS (
    DELETE FROM reporting.roll_mark m
    USING reporting.roll_mark k
    WHERE k.made_at = $1 AND k.book_key = m.book_key AND m.opening_on < k.closing_on AND m.closing_on > k.opening_on
      AND (m.opening_on, m.closing_on) <> (k.opening_on, k.closing_on)
)
DELETE FROM reporting.roll_mart m
USING reporting.roll_mark k
WHERE k.made_at = $1 AND k.book_key = m.book_key AND m.opening_on < k.closing_on AND m.closing_on > k.opening_on
