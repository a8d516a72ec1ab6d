-- Keep the figures that loans had until now, each at the last day it was folded for. $1..: the columns of core.loan_day.
INSERT INTO core.loan_day (slice, loan_key, on_date, known_on, past_due_on,
    book_key, currency_key, branch_key, product_key, bucket, status,
    loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor, estimated_loans)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::date[], $4::date[], $5::date[],
    $6::smallint[], $7::smallint[], $8::integer[], $9::integer[], $10::smallint[], $11::smallint[],
    $12::smallint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::smallint[])
