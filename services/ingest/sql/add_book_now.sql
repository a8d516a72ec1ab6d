-- Add differences to the live roll-up. $1..$7: key columns, $8..$15: differences.
INSERT INTO core.book_now AS b (slice, book_key, currency_key, branch_key, product_key, bucket, status,
    loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor,
    estimated_loans)
SELECT * FROM unnest($1::smallint[], $2::smallint[], $3::smallint[], $4::integer[], $5::integer[], $6::smallint[], $7::smallint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])
ON CONFLICT (slice, book_key, currency_key, branch_key, product_key, bucket, status) DO UPDATE
SET loans = b.loans + excluded.loans,
    disbursed_minor = b.disbursed_minor + excluded.disbursed_minor,
    paid_minor = b.paid_minor + excluded.paid_minor,
    principal_minor = b.principal_minor + excluded.principal_minor,
    outstanding_minor = b.outstanding_minor + excluded.outstanding_minor,
    overdue_minor = b.overdue_minor + excluded.overdue_minor,
    overdue_principal_minor = b.overdue_principal_minor + excluded.overdue_principal_minor,
    estimated_loans = b.estimated_loans + excluded.estimated_loans
