-- What the ledger holds under these identities. $1: slices, $2: loan keys, $3: event ids, $4: source keys.
SELECT e.loan_key, e.event_id, e.source_key, e.type_key, e.detail
FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::smallint[]) AS wanted (slice, loan_key, event_id, source_key)
JOIN core.event e USING (slice, loan_key, event_id, source_key)
