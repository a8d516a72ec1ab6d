-- Make rows for loans met for the first time. $1: slices, $2: loan keys, $3: book keys, $4: loan ids, $5: business days.
WITH met AS (
    SELECT DISTINCT ON (slice, loan_key) slice, loan_key, book_key, loan_id, business_on
    FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::text[], $5::date[])
        AS m (slice, loan_key, book_key, loan_id, business_on)
    ORDER BY slice, loan_key
), named AS (
    INSERT INTO core.loan (slice, loan_key, book_key, loan_id)
    SELECT slice, loan_key, book_key, loan_id FROM met
    ON CONFLICT DO NOTHING
)
INSERT INTO core.loan_state (slice, loan_key, book_key, status, bucket, as_of, version, fold_version)
SELECT slice, loan_key, book_key, 0, 0, business_on, 0, 0 FROM met
ON CONFLICT DO NOTHING
