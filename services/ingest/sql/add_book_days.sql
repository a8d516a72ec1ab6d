-- Differences that became known later to the closes of past days. $1..$9: key columns, $10..$17: differences.
INSERT INTO core.book_day AS b (business_on, known_on, slice, book_key, currency_key, branch_key, product_key, bucket, status,
    loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor, estimated_loans)
SELECT * FROM unnest($1::date[], $2::date[], $3::smallint[], $4::smallint[], $5::smallint[], $6::integer[], $7::integer[], $8::smallint[], $9::smallint[],
    $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[])
ON CONFLICT (slice, book_key, business_on, known_on, currency_key, branch_key, product_key, bucket, status) DO UPDATE
SET loans = b.loans + excluded.loans,
    disbursed_minor = b.disbursed_minor + excluded.disbursed_minor,
    paid_minor = b.paid_minor + excluded.paid_minor,
    principal_minor = b.principal_minor + excluded.principal_minor,
    outstanding_minor = b.outstanding_minor + excluded.outstanding_minor,
    overdue_minor = b.overdue_minor + excluded.overdue_minor,
    overdue_principal_minor = b.overdue_principal_minor + excluded.overdue_principal_minor,
    estimated_loans = b.estimated_loans + excluded.estimated_loans
