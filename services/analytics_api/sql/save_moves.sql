-- Put the moves of a month in the place of what was counted before, and note as of when.
-- $1: book key; $2: month; $3: opening; $4: close; $5: as of; $6: loans told anew by then;
-- $7 to $17: currency, branch, product, bucket, missed, place, outcome, loans, principal, relapsed loans and principal.
WITH marked AS (
    INSERT INTO reporting.move_mark (book_key, month, opening_on, closing_on, as_of, restated)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (book_key, month) DO UPDATE
    SET opening_on = excluded.opening_on, closing_on = excluded.closing_on, as_of = excluded.as_of,
        restated = excluded.restated
)
INSERT INTO reporting.move_mart (book_key, month, currency_key, branch_key, product_key, bucket, missed, place, outcome,
    loans, principal_minor, relapsed_loans, relapsed_minor)
SELECT $1::smallint, $2::date, c.*
FROM unnest($7::smallint[], $8::integer[], $9::integer[], $10::smallint[], $11::smallint[], $12::smallint[],
            $13::smallint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[]) AS c
