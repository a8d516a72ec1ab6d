-- All ledger rows of loans of a slice, to be told apart without decoding them. $1: slice, $2: loan keys.
SELECT e.slice, e.loan_key, e.type_key, e.source_key, e.event_id, e.entity_id, e.entity_version, e.is_copy,
       e.effective_on, e.business_on, coalesce(e.sequence, 0) AS sequence, e.recorded_at, e.amount_minor, e.detail
FROM unnest($2::bigint[]) AS wanted (loan_key)
CROSS JOIN LATERAL (
    SELECT * FROM core.event e WHERE e.slice = $1 AND e.loan_key = wanted.loan_key OFFSET 0
) e
