-- Put the entries of some loans in the place of what they added before, in the sums and in their own rows.
-- $1 to $8: slices, loan keys, books, currencies, branches, products, versions, closes, one of each a loan;
-- $9 to $13: the loan's place in those (from 1), day, measure, items, total, one of each an entry.
WITH loans AS (
    SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::integer[], $6::integer[],
                         $7::bigint[], $8::date[]) WITH ORDINALITY
        AS l (slice, loan_key, book_key, currency_key, branch_key, product_key, version, as_of, place)
), entries AS (
    SELECT * FROM unnest($9::integer[], $10::date[], $11::smallint[], $12::bigint[], $13::bigint[])
        AS e (place, day, measure, items, total)
), changes AS (
    SELECT l.book_key, l.currency_key, l.branch_key, l.product_key, e.day, e.measure, e.items, e.total
    FROM loans l JOIN entries e USING (place)
    UNION ALL
    SELECT t.book_key, t.currency_key, t.branch_key, t.product_key, e.day, e.measure, -e.items, -e.total
    FROM loans l
    JOIN reporting.loan_tally t ON t.slice = l.slice AND t.loan_key = l.loan_key
    CROSS JOIN unnest(t.day, t.measure, t.items, t.total) AS e (day, measure, items, total)
), summed AS (
    INSERT INTO reporting.tally_day AS d (book_key, currency_key, branch_key, product_key, day, measure, items, total)
    SELECT book_key, currency_key, branch_key, product_key, day, measure, sum(items), sum(total)
    FROM changes
    GROUP BY book_key, currency_key, branch_key, product_key, day, measure
    HAVING sum(items) <> 0 OR sum(total) <> 0
    ON CONFLICT (book_key, currency_key, day, measure, branch_key, product_key) DO UPDATE
    SET items = d.items + excluded.items, total = d.total + excluded.total
)
INSERT INTO reporting.loan_tally (slice, loan_key, book_key, currency_key, branch_key, product_key, version, as_of,
    day, measure, items, total)
SELECT l.slice, l.loan_key, l.book_key, l.currency_key, l.branch_key, l.product_key, l.version, l.as_of,
       coalesce(e.day, '{}'), coalesce(e.measure, '{}'), coalesce(e.items, '{}'), coalesce(e.total, '{}')
FROM loans l
LEFT JOIN (
    SELECT place, array_agg(day) AS day, array_agg(measure) AS measure, array_agg(items) AS items, array_agg(total) AS total
    FROM entries GROUP BY place
) e USING (place)
ON CONFLICT (slice, loan_key) DO UPDATE
SET book_key = excluded.book_key, currency_key = excluded.currency_key, branch_key = excluded.branch_key,
    product_key = excluded.product_key, version = excluded.version, as_of = excluded.as_of, day = excluded.day,
    measure = excluded.measure, items = excluded.items, total = excluded.total
