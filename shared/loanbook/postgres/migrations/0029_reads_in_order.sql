-- Boards at the size of a million loans: the heaviest open alerts are read in the order of their index, not sorted out of all.

-- Open alerts that the minute's table does not have yet, by where their loans are.
CREATE FUNCTION reporting.alerts_since(of_book_key smallint)
RETURNS TABLE (episode_id bigint, branch_key integer, baseline boolean, severity smallint, overdue numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
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

-- As before.
CREATE OR REPLACE FUNCTION reporting.alert_places(of_book_key smallint)
RETURNS TABLE (episode_id bigint, branch_key integer, baseline boolean, severity smallint, overdue numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT m.episode_id, m.branch_key, m.baseline, m.severity, m.overdue
    FROM reporting.alert_mart m WHERE m.book_key = of_book_key
    UNION ALL
    SELECT n.episode_id, n.branch_key, n.baseline, n.severity, n.overdue FROM reporting.alerts_since(of_book_key) n
$$;

-- As before; from the minute's table only as many are taken as can be shown.
CREATE OR REPLACE FUNCTION reporting.open_alerts(of_book text, regions text[], branches text[], alerts integer)
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
        (SELECT m.episode_id FROM reporting.alert_mart m
         WHERE m.book_key = of_book_key AND (branch_keys IS NULL OR m.branch_key = ANY (branch_keys))
         ORDER BY m.baseline, m.severity DESC, m.overdue DESC NULLS LAST
         LIMIT 2 * alerts)                          -- some may have been closed since
        UNION ALL
        (SELECT n.episode_id FROM reporting.alerts_since(of_book_key) n
         WHERE branch_keys IS NULL OR n.branch_key = ANY (branch_keys)
         ORDER BY n.baseline, n.severity DESC, n.overdue DESC NULLS LAST
         LIMIT alerts)))
    ORDER BY a.baseline, a.severity_order DESC, a.overdue DESC NULLS LAST, a.episode_id
    LIMIT alerts;
END $$;

-- A gathering of some thousand rows is done before helpers have started, and they take the stream's processors.
ALTER FUNCTION reporting.cash_days(text, text, text[], text[], text[], integer, integer, boolean)
    SET max_parallel_workers_per_gather = 0;
