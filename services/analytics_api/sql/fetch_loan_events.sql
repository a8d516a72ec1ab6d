-- A loan's ledger rows, oldest effect first, with the reason where one does not count.
-- $1: slice; $2: loan key.
SELECT e.source_key, s.uri AS source, e.event_id, e.type_key, e.effective_on, e.business_on, e.known_on,
       e.recorded_at, e.ingested_at, e.sequence, e.amount_minor, e.entity_id, e.entity_version, e.is_copy, e.detail,
       u.reason AS unapplied_reason
FROM core.event e
JOIN core.source s USING (source_key)
LEFT JOIN core.unapplied u USING (slice, loan_key, event_id)
WHERE e.slice = $1 AND e.loan_key = $2
ORDER BY e.effective_on, e.business_on, e.sequence, e.recorded_at, e.event_id
