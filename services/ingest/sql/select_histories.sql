-- All ledger rows of loans. $1: slices, $2: loan keys.
SELECT e.slice, e.loan_key, l.loan_id, l.book_key, e.source_key, e.event_id, e.type_key, e.known_on,
       e.recorded_at, e.sequence, e.detail
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
JOIN core.event e USING (slice, loan_key)
