-- A new score stays in its page: what the index of the costliest loans reads changes only with loans that stand in it.

-- The server looks at the columns that an index names, not at whether the row is in it: each payment changes the expected
-- loss, so every new score wrote into all indexes of its part.
ALTER TABLE risk.score ADD COLUMN costly_minor bigint
    GENERATED ALWAYS AS (CASE WHEN band >= 2 THEN expected_loss_minor END) STORED;  -- HIGH and CRITICAL; else null
DROP INDEX risk.score_costliest;
CREATE INDEX score_costliest ON risk.score (book_key, costly_minor DESC) WHERE costly_minor IS NOT NULL;

-- As before, over the new column.
CREATE OR REPLACE FUNCTION reporting.worst_loans(
    of_book text, of_currency text, regions text[], branches text[], products text[], loans integer
)
RETURNS TABLE (
    loan_id text, branch text, product text, risk_band text, risk_score smallint, expected_loss numeric, exposure numeric,
    days_past_due integer, overdue numeric, last_payment_on date, reason text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    branch_keys integer[] := reporting.branch_keys(of_book, regions, branches);
    product_keys integer[] := reporting.product_keys(of_book, products);
    book core.book;
    money core.currency;
BEGIN
    SELECT * INTO book FROM core.book b WHERE b.book = of_book;
    SELECT * INTO money FROM core.currency c WHERE c.code = of_currency;
    RETURN QUERY
    SELECT l.loan_id, coalesce(br.branch, 'unknown'), coalesce(p.product, 'unknown'), reporting.band_name(r.band),
           r.risk_score, reporting.major(r.expected_loss_minor, money.exponent),
           reporting.major(r.exposure_minor, money.exponent), coalesce(greatest(book.business_on - s.past_due_on, 0), 0),
           reporting.major(s.overdue_minor, money.exponent), s.last_payment_on, r.reasons -> 0 ->> 'text'
    FROM risk.score r
    CROSS JOIN LATERAL (
        SELECT x.product_key, x.past_due_on, x.overdue_minor, x.last_payment_on
        FROM core.loan_state x
        WHERE x.slice = r.slice AND x.loan_key = r.loan_key AND x.currency_key = money.currency_key
          AND (product_keys IS NULL OR x.product_key = ANY (product_keys))
        OFFSET 0                                    -- loan by loan, in the index's order
    ) s
    JOIN core.loan l ON l.slice = r.slice AND l.loan_key = r.loan_key
    LEFT JOIN core.branch br ON br.branch_key = r.branch_key
    LEFT JOIN core.product p ON p.product_key = s.product_key
    WHERE r.book_key = book.book_key AND r.costly_minor IS NOT NULL AND (branch_keys IS NULL OR r.branch_key = ANY (branch_keys))
    ORDER BY r.costly_minor DESC
    LIMIT loans;
END $$;

-- The loan a board shows when none is named: the one likely to cost most, else any.
CREATE OR REPLACE FUNCTION reporting.chosen_loan(book_name text, named text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    of_book_key smallint := (SELECT b.book_key FROM core.book b WHERE b.book = book_name);
BEGIN
    IF btrim(named) <> '' THEN
        RETURN btrim(named);
    END IF;
    RETURN coalesce(
        (SELECT l.loan_id FROM core.loan l JOIN risk.score r USING (slice, loan_key)
         WHERE r.book_key = of_book_key AND r.costly_minor IS NOT NULL ORDER BY r.costly_minor DESC LIMIT 1),
        (SELECT l.loan_id FROM core.loan l WHERE l.book_key = of_book_key LIMIT 1));
END $$;
