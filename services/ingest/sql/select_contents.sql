-- What the ledger holds under these identities, each looked up by its key. $1: slices, $2: loan keys, $3: event ids, $4: source keys.
SELECT e.loan_key, e.event_id, e.source_key, e.type_key, e.detail
FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::smallint[]) AS wanted (slice, loan_key, event_id, source_key)
CROSS JOIN LATERAL (
    SELECT * FROM core.event e
    WHERE e.slice = wanted.slice AND e.loan_key = wanted.loan_key AND e.event_id = wanted.event_id
        AND e.source_key = wanted.source_key
    OFFSET 0                                        -- or the planner, who takes the ledger for small, reads all of it
) e
