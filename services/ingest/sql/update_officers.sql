-- Who looks after plain loans now. $1: slices, $2: loan keys, $3: officer keys.
UPDATE core.loan_state s
SET officer_key = o.officer_key
FROM unnest($1::smallint[], $2::bigint[], $3::integer[]) AS o (slice, loan_key, officer_key)
WHERE s.slice = o.slice AND s.loan_key = o.loan_key
