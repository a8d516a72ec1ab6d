-- The live roll-ups take differences as they come: appended beside the cells, and merged into them in the background.

-- core.book_now, core.cash_day and core.cash_minute stay what is read, by sums. Each has two parts now: the cells, with
-- their key, under slices 0 to 15, and under slice + 16 the differences that no merge has added yet: no key, no index,
-- nothing to wait for. A reader of one slice asks for both numbers; `slice & 15` is the slice of either.
-- The cells' keys begin with what readers ask for.
DO $$
DECLARE
    parent text;
    key_columns text;
BEGIN
    FOR parent, key_columns IN VALUES
        ('book_now', 'slice, book_key, currency_key, branch_key, product_key, bucket, status'),
        ('cash_day', 'book_key, effective_on, known_on, currency_key, branch_key, product_key, slice'),
        ('cash_minute', 'book_key, minute, currency_key, branch_key, slice')
    LOOP
        EXECUTE format('ALTER TABLE core.%1$s DROP CONSTRAINT %1$s_pkey', parent);
        EXECUTE format('CREATE TABLE core.%1$s_merged (LIKE core.%1$s INCLUDING DEFAULTS) PARTITION BY LIST (slice)', parent);
        FOR n IN 0..15 LOOP
            EXECUTE format('ALTER TABLE core.%1$s DETACH PARTITION core.%1$s_%2$s', parent, n);
            EXECUTE format('ALTER TABLE core.%1$s_merged ATTACH PARTITION core.%1$s_%2$s FOR VALUES IN (%2$s)', parent, n);
        END LOOP;
        EXECUTE format('ALTER TABLE core.%1$s_merged ADD PRIMARY KEY (%2$s)', parent, key_columns);
        EXECUTE format(
            'ALTER TABLE core.%1$s ATTACH PARTITION core.%1$s_merged'
            ' FOR VALUES IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)', parent);
        -- The worker cleans up behind each merge where the server lets it (from version 17 on); autovacuum does it otherwise.
        EXECUTE format(
            'CREATE TABLE core.%1$s_unmerged PARTITION OF core.%1$s'
            ' FOR VALUES IN (16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31)'
            ' WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,'
            ' autovacuum_vacuum_cost_delay = 0, vacuum_truncate = false)', parent);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON core.%1$s_merged, core.%1$s_unmerged TO ingest_writer', parent);
        EXECUTE format(
            'GRANT SELECT ON core.%1$s_merged, core.%1$s_unmerged TO scoring_writer, mart_writer, analytics_reader', parent);
        IF current_setting('server_version_num')::integer >= 170000 THEN
            EXECUTE format('GRANT MAINTAIN ON core.%1$s_unmerged TO ingest_writer', parent);
        END IF;
    END LOOP;
END $$;

-- The minute a payment was taken in is the transaction's, by the server's clock.
ALTER TABLE core.cash_minute_unmerged ALTER COLUMN minute SET DEFAULT date_trunc('minute', now());
