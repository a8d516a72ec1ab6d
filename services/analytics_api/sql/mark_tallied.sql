-- Say which close the sums of each book now stand for, and how many loans still wait to be folded for it.
-- $1: whether loans were folded: sums of months made for that close are then old, which no date says; $2: whether none waits, which saves counting.
INSERT INTO reporting.tally_mark AS m (book_key, as_of, waiting_loans)
SELECT b.book_key, b.business_on - 1, CASE WHEN $2::boolean THEN 0 ELSE (
    SELECT count(*) FROM core.loan_state s
    LEFT JOIN reporting.loan_tally t ON t.slice = s.slice AND t.loan_key = s.loan_key
    WHERE s.book_key = b.book_key
      AND (t.version IS NULL
           OR (t.as_of < b.business_on - 1 AND (t.version <> s.version OR s.last_effective_on > t.as_of)))
) END
FROM core.book b
WHERE NOT b.replaying
ON CONFLICT (book_key) DO UPDATE
SET as_of = excluded.as_of, waiting_loans = excluded.waiting_loans,
    summed_on = CASE WHEN NOT $1::boolean OR m.summed_on < excluded.as_of THEN m.summed_on END
