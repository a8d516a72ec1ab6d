-- The planner's view of what payments change is renewed when a table has doubled or been rewritten once, not with each tenth:
-- the figures of a book are spread tomorrow as they are today, and looking cost a fifth of what PostgreSQL did for the stream.

DO $$
DECLARE part regclass;
BEGIN
    FOR part IN
        SELECT leaf.relid
        FROM unnest(ARRAY['core.loan_state', 'core.event', 'core.loan_day', 'core.cash_day_merged', 'risk.score',
                          'risk.score_history']) AS parent (name),
             pg_partition_tree(parent.name::regclass) leaf
        WHERE leaf.isleaf
    LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_analyze_scale_factor = 1)', part);
    END LOOP;
END $$;
