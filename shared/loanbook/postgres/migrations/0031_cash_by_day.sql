-- Cash of a whole book by day is summed once, when its days are settled, and not with each look at a board.

-- As reporting.cash_day_mart, of all branches and products together; both are added to in one statement.
CREATE TABLE reporting.cash_total_mart (
    book_key smallint NOT NULL,
    effective_on date NOT NULL,
    currency_key smallint NOT NULL,
    due_minor bigint NOT NULL,
    due_count bigint NOT NULL,
    current_minor bigint NOT NULL,
    arrears_minor bigint NOT NULL,
    advance_minor bigint NOT NULL,
    due_collected_minor bigint NOT NULL,
    on_time_count bigint NOT NULL,
    PRIMARY KEY (book_key, effective_on, currency_key)
);
INSERT INTO reporting.cash_total_mart
SELECT book_key, effective_on, currency_key, sum(due_minor), sum(due_count), sum(current_minor), sum(arrears_minor),
       sum(advance_minor), sum(due_collected_minor), sum(on_time_count)
FROM reporting.cash_day_mart GROUP BY book_key, effective_on, currency_key;

-- As before; nothing is summed of a whole book but what became known since.
CREATE OR REPLACE FUNCTION reporting.cash_days(
    of_book text, of_currency text, regions text[], branches text[], products text[], first_ago integer, last_ago integer,
    by_branch boolean DEFAULT false
)
RETURNS TABLE (
    day date, branch text, closed boolean, due numeric, due_count bigint, on_time_count bigint, due_collected numeric,
    cash numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan
    SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    branch_keys integer[] := reporting.branch_keys(of_book, regions, branches);
    product_keys integer[] := reporting.product_keys(of_book, products);
    book core.book;
    money core.currency;
    settled_on date;
    is_whole boolean := NOT by_branch AND branch_keys IS NULL AND product_keys IS NULL;
BEGIN
    SELECT * INTO book FROM core.book b WHERE b.book = of_book;
    SELECT * INTO money FROM core.currency c WHERE c.code = of_currency;
    SELECT m.settled_on INTO settled_on FROM reporting.cash_day_mark m WHERE m.book_key = book.book_key;
    settled_on := coalesce(settled_on, '-infinity');
    RETURN QUERY
    SELECT d.effective_on, CASE WHEN by_branch THEN coalesce(
               (SELECT br.branch FROM core.branch br WHERE br.branch_key = d.branch_key), 'unknown') END,
           d.effective_on < book.business_on,
           reporting.major(sum(d.due), money.exponent), sum(d.due_count)::bigint, sum(d.on_time_count)::bigint,
           reporting.major(sum(d.collected), money.exponent), reporting.major(sum(d.cash), money.exponent)
    FROM (
        SELECT t.effective_on, NULL::integer AS branch_key, t.due_minor AS due, t.due_count, t.on_time_count,
               t.due_collected_minor AS collected, t.current_minor + t.arrears_minor + t.advance_minor AS cash
        FROM reporting.cash_total_mart t
        WHERE is_whole AND t.book_key = book.book_key AND t.currency_key = money.currency_key
          AND t.effective_on BETWEEN book.business_on - first_ago AND book.business_on - last_ago
        UNION ALL
        SELECT m.effective_on, CASE WHEN by_branch THEN m.branch_key END, core.total(m.due_minor), core.total(m.due_count),
               core.total(m.on_time_count), core.total(m.due_collected_minor),
               core.total(m.current_minor + m.arrears_minor + m.advance_minor)
        FROM reporting.cash_day_mart m
        WHERE NOT is_whole AND m.book_key = book.book_key AND m.currency_key = money.currency_key
          AND m.effective_on BETWEEN book.business_on - first_ago AND book.business_on - last_ago
          AND (branch_keys IS NULL OR m.branch_key = ANY (branch_keys))
          AND (product_keys IS NULL OR m.product_key = ANY (product_keys))
        GROUP BY 1, 2
        UNION ALL
        SELECT k.effective_on, CASE WHEN by_branch THEN k.branch_key END, core.total(k.due_minor), core.total(k.due_count),
               core.total(k.on_time_count), core.total(k.due_collected_minor),
               core.total(k.current_minor + k.arrears_minor + k.advance_minor)
        FROM core.cash_day k
        WHERE k.book_key = book.book_key AND k.known_on > settled_on AND k.currency_key = money.currency_key
          AND k.effective_on BETWEEN book.business_on - first_ago AND book.business_on - last_ago
          AND (branch_keys IS NULL OR k.branch_key = ANY (branch_keys))
          AND (product_keys IS NULL OR k.product_key = ANY (product_keys))
        GROUP BY 1, 2
    ) d
    GROUP BY d.effective_on, d.branch_key
    ORDER BY d.effective_on;
END $$;
