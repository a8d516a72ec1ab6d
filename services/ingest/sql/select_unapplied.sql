-- Events of loans that are kept and do not count. $1: slices, $2: loan keys.
SELECT u.slice, u.loan_key, u.event_id, u.reason, u.amount_minor
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.unapplied u USING (slice, loan_key)
