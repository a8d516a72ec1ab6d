-- What rarely changes of a loan. $1: slices, $2: loan keys, $3: borrowers, $4: first disbursements, $5: rates, $6: terms, $7: packed plans.
UPDATE core.loan l
SET borrower_id = c.borrower_id, disbursed_on = c.disbursed_on,
    annual_rate_bps = c.annual_rate_bps, term_days = c.term_days, packed = c.packed
FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::date[], $5::integer[], $6::integer[], $7::bytea[])
    AS c (slice, loan_key, borrower_id, disbursed_on, annual_rate_bps, term_days, packed)
WHERE l.slice = c.slice AND l.loan_key = c.loan_key
