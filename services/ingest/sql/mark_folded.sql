-- Loans that came out as they were: only the code that folded them is noted, unless they have changed since.
-- $1: slices, $2: loan keys, $3: versions of the loans, $4: fold versions.
UPDATE core.loan_state s
SET fold_version = c.fold_version
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::smallint[]) AS c (slice, loan_key, version, fold_version)
WHERE s.slice = c.slice AND s.loan_key = c.loan_key AND s.version = c.version
