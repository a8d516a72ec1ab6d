-- Add differences to the cash of effective days. $1..$7: key columns (the last is known_on), $8..$14: differences.
INSERT INTO core.cash_day AS c (slice, book_key, currency_key, branch_key, product_key, effective_on, known_on,
    due_minor, due_count, current_minor, arrears_minor, advance_minor, due_collected_minor, on_time_count)
SELECT * FROM unnest($1::smallint[], $2::smallint[], $3::smallint[], $4::integer[], $5::integer[], $6::date[], $7::date[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
ON CONFLICT (slice, book_key, effective_on, known_on, currency_key, branch_key, product_key) DO UPDATE
SET due_minor = c.due_minor + excluded.due_minor,
    due_count = c.due_count + excluded.due_count,
    current_minor = c.current_minor + excluded.current_minor,
    arrears_minor = c.arrears_minor + excluded.arrears_minor,
    advance_minor = c.advance_minor + excluded.advance_minor,
    due_collected_minor = c.due_collected_minor + excluded.due_collected_minor,
    on_time_count = c.on_time_count + excluded.on_time_count
