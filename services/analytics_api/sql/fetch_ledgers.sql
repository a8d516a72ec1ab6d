-- The ledger rows of several loans.
-- $1, $2: slices and loan keys, one of each a loan.
SELECT e.slice, e.loan_key, e.source_key, s.uri AS source, e.event_id, e.type_key, e.effective_on, e.business_on,
       e.known_on, e.recorded_at, e.sequence, e.detail
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
JOIN core.event e USING (slice, loan_key)
JOIN core.source s USING (source_key)
