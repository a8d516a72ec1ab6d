-- What was told anew earlier on the same day gives way. $1: slices, $2: loan keys, $3: days it was known, $4: first days.
DELETE FROM core.loan_day d
USING unnest($1::smallint[], $2::bigint[], $3::date[], $4::date[]) AS f (slice, loan_key, known_on, from_on)
WHERE d.slice = f.slice AND d.loan_key = f.loan_key AND d.known_on = f.known_on
  AND d.on_date >= f.from_on AND d.on_date < f.known_on
