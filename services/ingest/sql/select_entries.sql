-- What the ledger holds of loans, without what only the general fold reads. $1: slices, $2: loan keys.
SELECT e.slice, e.loan_key, e.type_key, e.source_key, e.event_id, e.entity_id, e.entity_version, e.is_copy,
       e.effective_on, e.business_on, e.known_on, coalesce(e.sequence, 0) AS sequence, e.recorded_at, e.amount_minor,
       CASE WHEN e.type_key IN (3, 6) THEN e.detail END AS detail,
       e.type_key NOT IN (3, 6) AND (position('"relates_to"'::bytea IN e.detail) > 0 OR position('\\'::bytea IN e.detail) > 0)
           OR e.type_key = 5 AND (position('"portions"'::bytea IN e.detail) > 0 OR position('"charge_id"'::bytea IN e.detail) > 0)
           AS is_special
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
CROSS JOIN LATERAL (
    SELECT * FROM core.event e WHERE e.slice = wanted.slice AND e.loan_key = wanted.loan_key OFFSET 0
) e
