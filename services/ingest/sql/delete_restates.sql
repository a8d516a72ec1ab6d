-- Take days to tell anew off the list. $1: slices, $2: loan keys, $3: days the events came.
DELETE FROM core.restate r
USING unnest($1::smallint[], $2::bigint[], $3::date[]) AS d (slice, loan_key, known_on)
WHERE r.slice = d.slice AND r.loan_key = d.loan_key AND r.known_on = d.known_on
RETURNING r.slice, r.loan_key, r.known_on, r.from_on
