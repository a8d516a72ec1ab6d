-- Forget which events of these loans did not count. $1: slices, $2: loan keys.
DELETE FROM core.unapplied u
USING unnest($1::smallint[], $2::bigint[]) AS c (slice, loan_key)
WHERE u.slice = c.slice AND u.loan_key = c.loan_key
