-- What facts of plain loans undo. $1: slices, $2: loan keys, $3: ids as JSON arrays, $4: payments returned.
UPDATE core.loan_state s
SET named_ids = ARRAY(SELECT jsonb_array_elements_text(n.ids::jsonb)), returned_payments = n.returned
FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::smallint[]) AS n (slice, loan_key, ids, returned)
WHERE s.slice = n.slice AND s.loan_key = n.loan_key
