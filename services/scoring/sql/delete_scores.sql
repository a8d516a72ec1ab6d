-- Take loans that have ended out of the scores; their history stays.
-- $1 slice, $2 loan keys.
DELETE FROM risk.score WHERE slice = $1 AND loan_key = ANY ($2::bigint[])
