-- Mark closed days as told anew. $1: book keys, $2: days, $3: days it was known, $4: loans.
INSERT INTO core.restated_day AS r (book_key, business_on, known_on, loans)
SELECT * FROM unnest($1::smallint[], $2::date[], $3::date[], $4::bigint[])
ON CONFLICT (book_key, business_on, known_on) DO UPDATE SET loans = r.loans + excluded.loans
