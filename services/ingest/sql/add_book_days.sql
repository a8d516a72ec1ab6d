-- Differences that became known later to the closes of past days. $1..$8: key columns but for the slice, $9..$16: differences.
INSERT INTO core.book_day AS b (slice, business_on, known_on, book_key, currency_key, branch_key, product_key, bucket, status,
    loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor, estimated_loans)
SELECT d.branch_key & 15, d.*
FROM unnest($1::date[], $2::date[], $3::smallint[], $4::smallint[], $5::integer[], $6::integer[], $7::smallint[], $8::smallint[],
    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[])
    AS d (business_on, known_on, book_key, currency_key, branch_key)
ON CONFLICT (slice, book_key, business_on, known_on, currency_key, branch_key, product_key, bucket, status) DO UPDATE
SET loans = b.loans + excluded.loans,
    disbursed_minor = b.disbursed_minor + excluded.disbursed_minor,
    paid_minor = b.paid_minor + excluded.paid_minor,
    principal_minor = b.principal_minor + excluded.principal_minor,
    outstanding_minor = b.outstanding_minor + excluded.outstanding_minor,
    overdue_minor = b.overdue_minor + excluded.overdue_minor,
    overdue_principal_minor = b.overdue_principal_minor + excluded.overdue_principal_minor,
    estimated_loans = b.estimated_loans + excluded.estimated_loans
