-- A refold goes over the slices side by side: how far it has come is kept by slice, from slice 0 on.
ALTER TABLE core.refold_run ADD COLUMN last_loan_keys bigint[] NOT NULL DEFAULT array_fill('-9223372036854775808'::bigint, ARRAY[16]);

-- Runs that an earlier release has begun go on where they are; its columns last_slice and last_loan_key are not read any more.
UPDATE core.refold_run r
SET last_loan_keys = (
    SELECT array_agg(CASE WHEN n < r.last_slice THEN 9223372036854775807
                          WHEN n = r.last_slice THEN r.last_loan_key
                          ELSE '-9223372036854775808'::bigint END ORDER BY n)
    FROM generate_series(0, 15) n
)
WHERE finished_at IS NULL;
