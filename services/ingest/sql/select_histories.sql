-- All ledger rows of loans. $1: slices, $2: loan keys.
SELECT e.slice, e.loan_key, l.loan_id, l.book_key, e.source_key, e.event_id, e.type_key, e.known_on,
       e.recorded_at, e.sequence, e.detail
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
CROSS JOIN LATERAL (
    SELECT * FROM core.event e WHERE e.slice = wanted.slice AND e.loan_key = wanted.loan_key OFFSET 0
) e
