-- What payments do not change of loans: id, term, and of plain loans the packed plan. $1: slices, $2: loan keys.
SELECT l.loan_key, l.loan_id, coalesce(l.term_days, -1) AS term_days, l.packed
FROM (
    SELECT slice, array_agg(loan_key) AS keys
    FROM unnest($1::smallint[], $2::bigint[]) AS t (slice, loan_key)
    GROUP BY slice
) wanted
JOIN core.loan l ON l.slice = wanted.slice AND l.loan_key = ANY (wanted.keys)
ORDER BY l.loan_key  -- so that they come at once, and not in hundreds of small parts
