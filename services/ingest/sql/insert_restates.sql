-- Days to tell anew. $1: slices, $2: loan keys, $3: days the events came, $4: first days they change.
INSERT INTO core.restate AS r (slice, loan_key, known_on, from_on)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::date[], $4::date[])
ON CONFLICT (slice, loan_key, known_on) DO UPDATE SET from_on = least(r.from_on, excluded.from_on)
