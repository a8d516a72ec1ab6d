-- Take events into the ledger; what is there already stays as it is. $1..$17: the columns, in the order named here.
INSERT INTO core.event (slice, loan_key, source_key, event_id, type_key, effective_on, business_on, known_on,
    recorded_at, sequence, amount_minor, entity_id, entity_version, is_copy, detail,
    kafka_partition, kafka_offset)
SELECT *
FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::text[], $5::smallint[], $6::date[], $7::date[], $8::date[],
    $9::timestamptz[], $10::bigint[], $11::bigint[], $12::text[], $13::integer[], $14::boolean[], $15::bytea[],
    $16::smallint[], $17::bigint[]) AS e (slice, loan_key)
ORDER BY slice, loan_key
ON CONFLICT DO NOTHING
RETURNING loan_key, event_id, source_key
