-- Make currencies that are not there yet. $1: codes, $2: decimal digits.
INSERT INTO core.currency (code, exponent)
SELECT * FROM unnest($1::text[], $2::smallint[])
ON CONFLICT DO NOTHING
