-- Note the events that do not count. $1: slices, $2: loan keys, $3: event ids, $4: reasons, $5: amounts.
INSERT INTO core.unapplied (slice, loan_key, event_id, reason, amount_minor)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (slice, loan_key, event_id) DO NOTHING
