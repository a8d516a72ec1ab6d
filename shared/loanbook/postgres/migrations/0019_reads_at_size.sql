-- Reads at the size of a million loans: the boards ask functions that sum by key and name last; cash by day and open
-- alerts have tables of the refresh; an index that ended updates in place goes.

-- Served the oldest arrears; the minute's table of arrears serves them now, with its age.
DROP INDEX core.loan_state_past_due;
CREATE INDEX past_due_mart_oldest ON reporting.past_due_mart (book_key, currency_key, past_due_on);

-- Minor units to major ones by one multiplication; the digits are the currency's. Not STRICT: so it is always put in
-- where it is named, and not called.
CREATE OR REPLACE FUNCTION reporting.major(minor numeric, exponent smallint) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN minor * ('{1,0.1,0.01,0.001,0.0001}'::numeric[])[exponent + 1];

-- Tables of the refresh -----------------------------------------------------------------------------------------------

-- Cash by effective day, of all that became known up to a closed day: this changes no more.
CREATE TABLE reporting.cash_day_mart (
    book_key smallint NOT NULL,
    effective_on date NOT NULL,
    currency_key smallint NOT NULL,
    branch_key integer NOT NULL,
    product_key integer NOT NULL,
    due_minor bigint NOT NULL,
    due_count bigint NOT NULL,
    current_minor bigint NOT NULL,
    arrears_minor bigint NOT NULL,
    advance_minor bigint NOT NULL,
    due_collected_minor bigint NOT NULL,
    on_time_count bigint NOT NULL,
    PRIMARY KEY (book_key, effective_on, currency_key, branch_key, product_key)
);
CREATE TABLE reporting.cash_day_mark (
    book_key smallint PRIMARY KEY,
    settled_on date NOT NULL,                       -- known up to this day stands in the mart
    settled_before date                             -- the mark before this one
);

-- What became known since is found by its day; no update ever moves a row to another.
DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('CREATE INDEX cash_day_%1$s_known_on ON core.cash_day_%1$s (book_key, known_on)', n);
    END LOOP;
END $$;

-- Open alerts with what they are picked and ranked by: where their loan is, and what it owes.
CREATE TABLE reporting.alert_mart (
    episode_id bigint PRIMARY KEY,
    book_key smallint NOT NULL,
    branch_key integer NOT NULL,
    baseline boolean NOT NULL,
    severity smallint NOT NULL,
    overdue numeric                                 -- in major units, since the rank goes across currencies
);
CREATE INDEX alert_mart_rank ON reporting.alert_mart (book_key, baseline, severity DESC, overdue DESC NULLS LAST);
CREATE INDEX alert_mart_branch ON reporting.alert_mart (branch_key);

-- The API's order of open alerts, and those that nobody has looked at.
CREATE INDEX alert_episode_severest ON risk.alert_episode
    (severity DESC, coalesce(escalated_at, opened_at) DESC, episode_id DESC) WHERE state NOT IN ('resolved', 'withdrawn');
CREATE INDEX alert_episode_waiting ON risk.alert_episode (book_key, severity) WHERE state = 'open' AND NOT baseline;

-- Parts of a book -----------------------------------------------------------------------------------------------------

-- Functions run with their owner's rights, as the views do, and give no loan but by id, name nobody, write nothing.
-- Keys of what a board has chosen; null when that is everything, which saves looking.
CREATE FUNCTION reporting.branch_keys(of_book text, regions text[], branches text[]) RETURNS integer[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT CASE WHEN NOT bool_and(chosen) THEN coalesce(array_agg(branch_key) FILTER (WHERE chosen), '{}') END
    FROM (
        SELECT br.branch_key, coalesce(br.region, 'unknown') = ANY (regions) AND br.branch = ANY (branches) AS chosen
        FROM core.branch br JOIN core.book b USING (book_key) WHERE b.book = of_book
        UNION ALL
        SELECT 0, 'unknown' = ANY (regions) AND 'unknown' = ANY (branches)
    ) br
$$;

CREATE FUNCTION reporting.product_keys(of_book text, products text[]) RETURNS integer[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT CASE WHEN NOT bool_and(chosen) THEN coalesce(array_agg(product_key) FILTER (WHERE chosen), '{}') END
    FROM (
        SELECT p.product_key, p.product = ANY (products) AS chosen
        FROM core.product p JOIN core.book b USING (book_key) WHERE b.book = of_book
        UNION ALL
        SELECT 0, 'unknown' = ANY (products)
    ) p
$$;

-- The portfolio -------------------------------------------------------------------------------------------------------

-- The live roll-up without its slices. A function, since its plan over all slices is then made once a connection.
CREATE FUNCTION reporting.cells_now()
RETURNS TABLE (
    book_key smallint, currency_key smallint, branch_key integer, product_key integer, bucket smallint, status smallint,
    loans bigint, estimated_loans bigint, disbursed numeric, paid numeric, principal numeric, outstanding numeric,
    overdue numeric, overdue_principal numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog ROWS 3000 AS $$
BEGIN
    RETURN QUERY
    SELECT n.book_key, n.currency_key, n.branch_key, n.product_key, n.bucket, n.status, sum(n.loans)::bigint,
           sum(n.estimated_loans)::bigint, sum(n.disbursed_minor), sum(n.paid_minor), sum(n.principal_minor),
           sum(n.outstanding_minor), sum(n.overdue_minor), sum(n.overdue_principal_minor)
    FROM core.book_now n
    GROUP BY n.book_key, n.currency_key, n.branch_key, n.product_key, n.bucket, n.status;
END $$;

-- Closed days that the refresh has not summed up yet, straight from the roll-up of closes, each slice by its key.
CREATE FUNCTION reporting.days_not_made()
RETURNS TABLE (
    book_key smallint, business_on date, currency_key smallint, branch_key integer, product_key integer, loans bigint,
    disbursed numeric, paid numeric, principal numeric, overdue numeric, par0 numeric, par30 numeric, par60 numeric,
    par90 numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog ROWS 1000 AS $$
BEGIN
    RETURN QUERY
    SELECT k.book_key, d.business_on, d.currency_key, d.branch_key, d.product_key,
           coalesce(sum(d.loans) FILTER (WHERE d.status = 1), 0)::bigint, sum(d.disbursed_minor), sum(d.paid_minor),
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1), 0),
           coalesce(sum(d.overdue_minor) FILTER (WHERE d.status = 1), 0),
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 1), 0),
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 2), 0),
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 3), 0),
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 4), 0)
    FROM core.book k
    CROSS JOIN LATERAL (
        SELECT coalesce(max(m.business_on), '-infinity') AS business_on
        FROM reporting.portfolio_day_mart m WHERE m.book_key = k.book_key
    ) last
    CROSS JOIN generate_series(0, 15) AS slices (slice)
    CROSS JOIN LATERAL (
        SELECT x.* FROM core.book_day x
        WHERE x.slice = slices.slice AND x.book_key = k.book_key AND x.business_on > last.business_on
    ) d
    GROUP BY k.book_key, d.business_on, d.currency_key, d.branch_key, d.product_key;
END $$;

CREATE OR REPLACE VIEW reporting.portfolio_cells AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       reporting.bucket_name(n.bucket) AS bucket, n.bucket AS bucket_order, reporting.status_name(n.status) AS status,
       n.status = 1 AS counts,                      -- in GLP and PAR
       n.loans, n.estimated_loans,
       reporting.major(n.disbursed, c.exponent) AS disbursed,
       reporting.major(n.paid, c.exponent) AS paid,
       reporting.major(n.principal, c.exponent) AS principal,
       reporting.major(n.outstanding, c.exponent) AS outstanding,
       reporting.major(n.overdue, c.exponent) AS overdue,
       reporting.major(n.overdue_principal, c.exponent) AS overdue_principal
FROM reporting.cells_now() n
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

-- The cells of a part of a book, named after they were picked by key.
CREATE FUNCTION reporting.portfolio_part(
    of_book text, of_currency text, regions text[], branches text[], products text[]
)
RETURNS TABLE (
    product text, bucket text, bucket_order smallint, status text, counts boolean, loans bigint, disbursed numeric,
    principal numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    branch_keys integer[] := reporting.branch_keys(of_book, regions, branches);
    product_keys integer[] := reporting.product_keys(of_book, products);
    of_book_key smallint := (SELECT b.book_key FROM core.book b WHERE b.book = of_book);
    money core.currency;
BEGIN
    SELECT * INTO money FROM core.currency c WHERE c.code = of_currency;
    RETURN QUERY
    SELECT coalesce(p.product, 'unknown'), reporting.bucket_name(n.bucket), n.bucket, reporting.status_name(n.status),
           n.status = 1, n.loans, reporting.major(n.disbursed, money.exponent), reporting.major(n.principal, money.exponent)
    FROM (
        SELECT x.product_key, x.bucket, x.status, sum(x.loans)::bigint AS loans, sum(x.disbursed_minor) AS disbursed,
               sum(x.principal_minor) AS principal
        FROM core.book_now x
        WHERE x.book_key = of_book_key AND x.currency_key = money.currency_key
          AND (branch_keys IS NULL OR x.branch_key = ANY (branch_keys))
          AND (product_keys IS NULL OR x.product_key = ANY (product_keys))
        GROUP BY x.product_key, x.bucket, x.status
    ) n
    LEFT JOIN core.product p USING (product_key);
END $$;

-- As before: day closes as restated now, and the running day as the last point.
CREATE OR REPLACE VIEW reporting.portfolio_day AS
SELECT b.book, c.code AS currency, d.business_on, d.live, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product, d.loans,
       reporting.major(d.disbursed, c.exponent) AS disbursed, reporting.major(d.paid, c.exponent) AS paid,
       reporting.major(d.principal, c.exponent) AS principal, reporting.major(d.overdue, c.exponent) AS overdue,
       reporting.major(d.par0, c.exponent) AS par0_principal, reporting.major(d.par30, c.exponent) AS par30_principal,
       reporting.major(d.par60, c.exponent) AS par60_principal, reporting.major(d.par90, c.exponent) AS par90_principal,
       r.known_on IS NOT NULL AS restated, r.known_on AS restated_known_on
FROM (
    SELECT book_key, business_on, false AS live, currency_key, branch_key, product_key, loans,
           disbursed_minor::numeric AS disbursed, paid_minor::numeric AS paid, principal_minor::numeric AS principal,
           overdue_minor::numeric AS overdue, par0_minor::numeric AS par0, par30_minor::numeric AS par30,
           par60_minor::numeric AS par60, par90_minor::numeric AS par90
    FROM reporting.portfolio_day_mart
    UNION ALL
    SELECT book_key, business_on, false, currency_key, branch_key, product_key, loans, disbursed, paid, principal,
           overdue, par0, par30, par60, par90
    FROM reporting.days_not_made()
    UNION ALL
    SELECT n.book_key, k.business_on, true, n.currency_key, n.branch_key, n.product_key,
           coalesce(sum(n.loans) FILTER (WHERE n.status = 1), 0)::bigint, sum(n.disbursed), sum(n.paid),
           coalesce(sum(n.principal) FILTER (WHERE n.status = 1), 0),
           coalesce(sum(n.overdue) FILTER (WHERE n.status = 1), 0),
           coalesce(sum(n.principal) FILTER (WHERE n.status = 1 AND n.bucket >= 1), 0),
           coalesce(sum(n.principal) FILTER (WHERE n.status = 1 AND n.bucket >= 2), 0),
           coalesce(sum(n.principal) FILTER (WHERE n.status = 1 AND n.bucket >= 3), 0),
           coalesce(sum(n.principal) FILTER (WHERE n.status = 1 AND n.bucket >= 4), 0)
    FROM reporting.cells_now() n JOIN core.book k USING (book_key)
    GROUP BY n.book_key, k.business_on, n.currency_key, n.branch_key, n.product_key
) d
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
LEFT JOIN (
    SELECT book_key, business_on, max(known_on) AS known_on FROM core.restated_day WHERE loans > 0 GROUP BY book_key, business_on
) r ON r.book_key = d.book_key AND r.business_on = d.business_on;

-- The last `days` business days of a part of a book, the running one among them: closes as restated now, and live;
-- with `by_branch` by branch, too.
CREATE FUNCTION reporting.portfolio_days(
    of_book text, of_currency text, regions text[], branches text[], products text[], days integer,
    by_branch boolean DEFAULT false
)
RETURNS TABLE (
    business_on date, branch text, live boolean, loans bigint, principal numeric, overdue numeric, par30_principal numeric,
    par60_principal numeric, par90_principal numeric, restated_known_on date
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
    SELECT d.business_on, CASE WHEN by_branch THEN coalesce(
               (SELECT br.branch FROM core.branch br WHERE br.branch_key = d.branch_key), 'unknown') END,
           d.live, d.loans::bigint, reporting.major(d.principal, money.exponent),
           reporting.major(d.overdue, money.exponent), reporting.major(d.par30, money.exponent),
           reporting.major(d.par60, money.exponent), reporting.major(d.par90, money.exponent), r.known_on
    FROM (
        SELECT m.business_on, CASE WHEN by_branch THEN m.branch_key END AS branch_key, false AS live,
               sum(m.loans) AS loans, sum(m.principal_minor) AS principal, sum(m.overdue_minor) AS overdue,
               sum(m.par30_minor) AS par30, sum(m.par60_minor) AS par60, sum(m.par90_minor) AS par90
        FROM reporting.portfolio_day_mart m
        WHERE m.book_key = book.book_key AND m.currency_key = money.currency_key
          AND m.business_on > book.business_on - days
          AND (branch_keys IS NULL OR m.branch_key = ANY (branch_keys))
          AND (product_keys IS NULL OR m.product_key = ANY (product_keys))
        GROUP BY 1, 2
        UNION ALL
        SELECT n.business_on, CASE WHEN by_branch THEN n.branch_key END, false, sum(n.loans), sum(n.principal),
               sum(n.overdue), sum(n.par30), sum(n.par60), sum(n.par90)
        FROM reporting.days_not_made() n
        WHERE n.book_key = book.book_key AND n.currency_key = money.currency_key
          AND n.business_on > book.business_on - days
          AND (branch_keys IS NULL OR n.branch_key = ANY (branch_keys))
          AND (product_keys IS NULL OR n.product_key = ANY (product_keys))
        GROUP BY 1, 2
        UNION ALL
        SELECT book.business_on, CASE WHEN by_branch THEN n.branch_key END, true,
               coalesce(sum(n.loans) FILTER (WHERE n.status = 1), 0),
               coalesce(sum(n.principal_minor) FILTER (WHERE n.status = 1), 0),
               coalesce(sum(n.overdue_minor) FILTER (WHERE n.status = 1), 0),
               coalesce(sum(n.principal_minor) FILTER (WHERE n.status = 1 AND n.bucket >= 2), 0),
               coalesce(sum(n.principal_minor) FILTER (WHERE n.status = 1 AND n.bucket >= 3), 0),
               coalesce(sum(n.principal_minor) FILTER (WHERE n.status = 1 AND n.bucket >= 4), 0)
        FROM core.book_now n
        WHERE n.book_key = book.book_key AND n.currency_key = money.currency_key
          AND (branch_keys IS NULL OR n.branch_key = ANY (branch_keys))
          AND (product_keys IS NULL OR n.product_key = ANY (product_keys))
        GROUP BY 1, 2
    ) d
    LEFT JOIN (
        SELECT t.business_on, max(t.known_on) AS known_on FROM core.restated_day t
        WHERE t.book_key = book.book_key AND t.loans > 0 GROUP BY t.business_on
    ) r ON r.business_on = d.business_on
    ORDER BY d.business_on;
END $$;

-- Cash ----------------------------------------------------------------------------------------------------------------

-- As before: what is settled from the mart, and what became known since.
CREATE OR REPLACE VIEW reporting.cash_day_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       d.day, d.day < b.business_on AS closed,
       reporting.major(d.due, c.exponent) AS due, d.due_count, d.on_time_count,
       reporting.major(d.collected, c.exponent) AS due_collected,   -- by the close of the day
       reporting.major(d.current, c.exponent) AS current,
       reporting.major(d.arrears, c.exponent) AS arrears,
       reporting.major(d.advance, c.exponent) AS advance,
       reporting.major(d.current + d.arrears + d.advance, c.exponent) AS cash,
       reporting.ratio(d.collected, d.due) AS efficiency_current,
       reporting.ratio(d.current + d.arrears + d.advance, d.due) AS efficiency_total
FROM (
    SELECT book_key, currency_key, branch_key, product_key, effective_on AS day, sum(due_minor) AS due,
           sum(due_count)::bigint AS due_count, sum(on_time_count)::bigint AS on_time_count,
           sum(due_collected_minor) AS collected, sum(current_minor) AS current, sum(arrears_minor) AS arrears,
           sum(advance_minor) AS advance
    FROM (
        SELECT book_key, currency_key, branch_key, product_key, effective_on, due_minor, due_count, on_time_count,
               due_collected_minor, current_minor, arrears_minor, advance_minor
        FROM reporting.cash_day_mart
        UNION ALL
        SELECT k.book_key, k.currency_key, k.branch_key, k.product_key, k.effective_on, k.due_minor, k.due_count,
               k.on_time_count, k.due_collected_minor, k.current_minor, k.arrears_minor, k.advance_minor
        FROM core.cash_day k
        LEFT JOIN reporting.cash_day_mark m USING (book_key)
        WHERE m.settled_on IS NULL OR k.known_on > m.settled_on
    ) x
    GROUP BY book_key, currency_key, branch_key, product_key, effective_on
) d
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key);

-- Cash of a part of a book by day, from a day to another, each so many days before the running one;
-- with `by_branch` by branch, too. `closed` days have an efficiency; the running day's cash is "so far".
CREATE FUNCTION reporting.cash_days(
    of_book text, of_currency text, regions text[], branches text[], products text[], first_ago integer, last_ago integer,
    by_branch boolean DEFAULT false
)
RETURNS TABLE (
    day date, branch text, closed boolean, due numeric, due_count bigint, on_time_count bigint, due_collected numeric,
    cash numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    branch_keys integer[] := reporting.branch_keys(of_book, regions, branches);
    product_keys integer[] := reporting.product_keys(of_book, products);
    book core.book;
    money core.currency;
    settled_on date;
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
        SELECT m.effective_on, CASE WHEN by_branch THEN m.branch_key END AS branch_key, sum(m.due_minor) AS due,
               sum(m.due_count) AS due_count, sum(m.on_time_count) AS on_time_count,
               sum(m.due_collected_minor) AS collected, sum(m.current_minor + m.arrears_minor + m.advance_minor) AS cash
        FROM reporting.cash_day_mart m
        WHERE m.book_key = book.book_key AND m.currency_key = money.currency_key
          AND m.effective_on BETWEEN book.business_on - first_ago AND book.business_on - last_ago
          AND (branch_keys IS NULL OR m.branch_key = ANY (branch_keys))
          AND (product_keys IS NULL OR m.product_key = ANY (product_keys))
        GROUP BY 1, 2
        UNION ALL
        SELECT k.effective_on, CASE WHEN by_branch THEN k.branch_key END, sum(k.due_minor), sum(k.due_count),
               sum(k.on_time_count), sum(k.due_collected_minor), sum(k.current_minor + k.arrears_minor + k.advance_minor)
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

-- Loans ---------------------------------------------------------------------------------------------------------------

-- The loans that are likely to cost most, by book, not by branch: HIGH and CRITICAL.
DROP INDEX risk.score_worst;
CREATE INDEX score_costliest ON risk.score (book_key, expected_loss_minor DESC) WHERE band >= 2;

-- Those of a part of a book; the rest is looked up for what is shown.
DROP FUNCTION reporting.chosen_loan(text, text);
DROP VIEW reporting.worst_loans;
CREATE FUNCTION reporting.worst_loans(
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
    WHERE r.book_key = book.book_key AND r.band >= 2 AND (branch_keys IS NULL OR r.branch_key = ANY (branch_keys))
    ORDER BY r.expected_loss_minor DESC
    LIMIT loans;
END $$;

-- The loan a board shows when none is named: the one likely to cost most, else any.
CREATE FUNCTION reporting.chosen_loan(book_name text, named text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    of_book_key smallint := (SELECT b.book_key FROM core.book b WHERE b.book = book_name);
BEGIN
    IF btrim(named) <> '' THEN
        RETURN btrim(named);
    END IF;
    RETURN coalesce(
        (SELECT l.loan_id FROM core.loan l JOIN risk.score r USING (slice, loan_key)
         WHERE r.book_key = of_book_key AND r.band >= 2 ORDER BY r.expected_loss_minor DESC LIMIT 1),
        (SELECT l.loan_id FROM core.loan l WHERE l.book_key = of_book_key LIMIT 1));
END $$;

-- As before; each event's loan is looked up by its key, however many loans there are.
CREATE OR REPLACE VIEW reporting.unapplied_now AS
SELECT b.book, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       s.loan_id, u.event_id, u.reason, reporting.major(u.amount_minor, c.exponent) AS amount
FROM core.unapplied u
CROSS JOIN LATERAL (
    SELECT l.book_key, l.loan_id, x.currency_key, x.branch_key, x.product_key
    FROM core.loan l JOIN core.loan_state x USING (slice, loan_key)
    WHERE l.slice = u.slice AND l.loan_key = u.loan_key
    LIMIT 1
) s
JOIN core.book b ON b.book_key = s.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product p ON p.product_key = s.product_key;

-- Alerts --------------------------------------------------------------------------------------------------------------

-- Open alerts by where their loans are: as the minute's table has them, and those opened since, looked up.
CREATE FUNCTION reporting.alert_places(of_book_key smallint)
RETURNS TABLE (episode_id bigint, branch_key integer, baseline boolean, severity smallint, overdue numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT m.episode_id, m.branch_key, m.baseline, m.severity, m.overdue
    FROM reporting.alert_mart m WHERE m.book_key = of_book_key
    UNION ALL
    SELECT a.episode_id, coalesce(s.branch_key, a.branch_key, 0), a.baseline, a.severity,
           reporting.major(s.overdue_minor, c.exponent)
    FROM risk.alert_episode a
    LEFT JOIN core.loan_state s ON s.slice = a.slice AND s.loan_key = a.loan_key
    LEFT JOIN core.currency c ON c.currency_key = s.currency_key
    WHERE a.book_key = of_book_key AND a.state NOT IN ('resolved', 'withdrawn')
      -- An episode bears the time at which its transaction began.
      AND a.opened_at > coalesce((SELECT r.refreshed_at FROM reporting.mart_refresh r WHERE r.mart = 'alerts'), '-infinity')
                        - interval '10 minutes'
      AND NOT EXISTS (SELECT FROM reporting.alert_mart m WHERE m.episode_id = a.episode_id)
$$;

-- The open alerts of some branches that matter most: rank by the minute's figures, shown as they are.
CREATE FUNCTION reporting.open_alerts(of_book text, regions text[], branches text[], alerts integer)
RETURNS SETOF reporting.alerts
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    branch_keys integer[] := reporting.branch_keys(of_book, regions, branches);
    of_book_key smallint := (SELECT b.book_key FROM core.book b WHERE b.book = of_book);
BEGIN
    RETURN QUERY
    SELECT a.*
    FROM reporting.alerts a
    WHERE a.is_open AND a.episode_id = ANY (ARRAY(
        SELECT m.episode_id FROM reporting.alert_places(of_book_key) m
        WHERE branch_keys IS NULL OR m.branch_key = ANY (branch_keys)
        ORDER BY m.baseline, m.severity DESC, m.overdue DESC NULLS LAST
        LIMIT 2 * alerts))                          -- some may have been closed since
    ORDER BY a.baseline, a.severity_order DESC, a.overdue DESC NULLS LAST, a.episode_id
    LIMIT alerts;
END $$;

-- How many open alerts of some branches nobody has looked at.
CREATE FUNCTION reporting.alerts_waiting(of_book text, regions text[], branches text[]) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    branch_keys integer[] := reporting.branch_keys(of_book, regions, branches);
    of_book_key smallint := (SELECT b.book_key FROM core.book b WHERE b.book = of_book);
BEGIN
    IF branch_keys IS NULL THEN
        RETURN (SELECT count(*) FROM risk.alert_episode a
                WHERE a.book_key = of_book_key AND a.state = 'open' AND NOT a.baseline AND a.severity >= 1);
    END IF;
    RETURN (SELECT count(*)
            FROM reporting.alert_places(of_book_key) m
            JOIN risk.alert_episode a ON a.episode_id = m.episode_id
            WHERE m.branch_key = ANY (branch_keys) AND a.state = 'open' AND NOT a.baseline AND a.severity >= 1);
END $$;
