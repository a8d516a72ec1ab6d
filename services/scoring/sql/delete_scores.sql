-- Take loans that have ended out of the scores; their history stays.
-- $1 slices, $2 loan keys.
DELETE FROM risk.score r
USING unnest($1::smallint[], $2::bigint[]) AS ended (slice, loan_key)
WHERE r.slice = ended.slice AND r.loan_key = ended.loan_key
