-- Add the differences of the cash of days to its cells; whoever reads sees the same sums before and after.
WITH gone AS (
    DELETE FROM core.cash_day_unmerged RETURNING *
)
INSERT INTO core.cash_day_merged AS c (slice, book_key, currency_key, branch_key, product_key, effective_on, known_on,
    due_minor, due_count, current_minor, arrears_minor, advance_minor, due_collected_minor, on_time_count)
SELECT slice & 15, book_key, currency_key, branch_key, product_key, effective_on, known_on,
       core.total(due_minor), core.total(due_count), core.total(current_minor), core.total(arrears_minor), core.total(advance_minor),
       core.total(due_collected_minor), core.total(on_time_count)
FROM gone
GROUP BY 1, 2, 3, 4, 5, 6, 7
HAVING (core.total(due_minor), core.total(due_count), core.total(current_minor), core.total(arrears_minor), core.total(advance_minor),
        core.total(due_collected_minor), core.total(on_time_count)) <> (0, 0, 0, 0, 0, 0, 0)
ORDER BY 1, 2, 6, 7, 3, 4, 5  -- slice by slice as the key: neighbors lie in the same pages
ON CONFLICT (book_key, effective_on, known_on, currency_key, branch_key, product_key, slice) DO UPDATE
SET due_minor = c.due_minor + excluded.due_minor,
    due_count = c.due_count + excluded.due_count,
    current_minor = c.current_minor + excluded.current_minor,
    arrears_minor = c.arrears_minor + excluded.arrears_minor,
    advance_minor = c.advance_minor + excluded.advance_minor,
    due_collected_minor = c.due_collected_minor + excluded.due_collected_minor,
    on_time_count = c.on_time_count + excluded.on_time_count
