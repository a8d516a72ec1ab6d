-- Add payments to the minute they were taken in. $1..$4: key columns, $5: counts, $6: amounts.
INSERT INTO core.cash_minute AS c (slice, book_key, currency_key, branch_key, minute, payments, amount_minor)
SELECT slice, book_key, currency_key, branch_key, date_trunc('minute', now()), payments, amount_minor
FROM unnest($1::smallint[], $2::smallint[], $3::smallint[], $4::integer[], $5::bigint[], $6::bigint[])
    AS m (slice, book_key, currency_key, branch_key, payments, amount_minor)
ON CONFLICT (slice, book_key, minute, currency_key, branch_key) DO UPDATE
SET payments = c.payments + excluded.payments, amount_minor = c.amount_minor + excluded.amount_minor
