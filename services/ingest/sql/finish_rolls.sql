-- Note what was swept; a slice is done when no loan of it waits. $1: book key, $2: closed day, $3: slices, $4: loans of each, $5: the book's day.
UPDATE core.day_roll d
SET loans = d.loans + c.loans,
    swept_at = CASE WHEN EXISTS (
        SELECT 1 FROM core.loan_state s
        WHERE s.slice = d.slice AND s.book_key = d.book_key AND s.as_of < $5 AND s.next_boundary_on <= $5
    ) THEN NULL ELSE now() END
FROM unnest($3::smallint[], $4::bigint[]) AS c (slice, loans)
WHERE d.book_key = $1 AND d.business_on = $2 AND d.slice = c.slice
