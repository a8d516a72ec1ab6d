-- Add what became known on the days that have closed since the mark, to the whole book's days, too: on a closed day
-- nothing more becomes known.
WITH settled AS (
    INSERT INTO reporting.cash_day_mark AS m (book_key, settled_on)
    SELECT book_key, business_on - 1 FROM core.book
    ON CONFLICT (book_key) DO UPDATE SET settled_on = excluded.settled_on, settled_before = m.settled_on
    WHERE m.settled_on < excluded.settled_on
    RETURNING book_key, settled_on, coalesce(settled_before, '-infinity') AS settled_before
),
became_known AS MATERIALIZED (
    SELECT d.book_key, d.effective_on, d.currency_key, d.branch_key, d.product_key,
           core.total(d.due_minor) AS due_minor, core.total(d.due_count) AS due_count,
           core.total(d.current_minor) AS current_minor, core.total(d.arrears_minor) AS arrears_minor,
           core.total(d.advance_minor) AS advance_minor, core.total(d.due_collected_minor) AS due_collected_minor,
           core.total(d.on_time_count) AS on_time_count
    FROM settled s
    JOIN core.cash_day d ON d.book_key = s.book_key AND d.known_on > s.settled_before AND d.known_on <= s.settled_on
    GROUP BY d.book_key, d.effective_on, d.currency_key, d.branch_key, d.product_key
    ORDER BY d.book_key, d.effective_on, d.currency_key, d.branch_key, d.product_key
),
totals AS (
    INSERT INTO reporting.cash_total_mart AS c (book_key, effective_on, currency_key, due_minor, due_count,
        current_minor, arrears_minor, advance_minor, due_collected_minor, on_time_count)
    SELECT book_key, effective_on, currency_key, core.total(due_minor), core.total(due_count),
           core.total(current_minor), core.total(arrears_minor), core.total(advance_minor),
           core.total(due_collected_minor), core.total(on_time_count)
    FROM became_known
    GROUP BY book_key, effective_on, currency_key
    ON CONFLICT (book_key, effective_on, currency_key) DO UPDATE
    SET due_minor = c.due_minor + excluded.due_minor, due_count = c.due_count + excluded.due_count,
        current_minor = c.current_minor + excluded.current_minor,
        arrears_minor = c.arrears_minor + excluded.arrears_minor,
        advance_minor = c.advance_minor + excluded.advance_minor,
        due_collected_minor = c.due_collected_minor + excluded.due_collected_minor,
        on_time_count = c.on_time_count + excluded.on_time_count
)
INSERT INTO reporting.cash_day_mart AS c (book_key, effective_on, currency_key, branch_key, product_key, due_minor,
    due_count, current_minor, arrears_minor, advance_minor, due_collected_minor, on_time_count)
SELECT book_key, effective_on, currency_key, branch_key, product_key, due_minor, due_count, current_minor,
       arrears_minor, advance_minor, due_collected_minor, on_time_count
FROM became_known
ON CONFLICT (book_key, effective_on, currency_key, branch_key, product_key) DO UPDATE
SET due_minor = c.due_minor + excluded.due_minor, due_count = c.due_count + excluded.due_count,
    current_minor = c.current_minor + excluded.current_minor, arrears_minor = c.arrears_minor + excluded.arrears_minor,
    advance_minor = c.advance_minor + excluded.advance_minor,
    due_collected_minor = c.due_collected_minor + excluded.due_collected_minor,
    on_time_count = c.on_time_count + excluded.on_time_count
