-- The history of loans in the order of what was known. $1: slices, $2: loan keys.
SELECT d.*
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.loan_day d USING (slice, loan_key)
ORDER BY d.slice, d.loan_key, d.known_on, d.on_date
