-- Take the staged events into the ledger; what is there already stays as it is.
INSERT INTO core.event (slice, loan_key, source_key, event_id, type_key, effective_on, business_on, known_on,
    recorded_at, sequence, amount_minor, entity_id, entity_version, is_copy, detail,
    kafka_partition, kafka_offset)
SELECT slice, loan_key, source_key, event_id, type_key, effective_on, business_on, known_on,
    recorded_at, sequence, amount_minor, entity_id, entity_version, is_copy, detail,
    kafka_partition, kafka_offset
FROM stage_event
ORDER BY slice, loan_key
ON CONFLICT DO NOTHING
RETURNING loan_key, event_id, source_key
