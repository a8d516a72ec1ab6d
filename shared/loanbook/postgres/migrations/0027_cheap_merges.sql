-- Merging a roll-up costs less: sums that stay bigint, and cells of days that are rewritten within their page.

-- The server's own sum makes a numeric of each bigint, and the cell a bigint of it again.
CREATE AGGREGATE core.total(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE);

DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('ALTER TABLE core.cash_day_%s SET (fillfactor = 75)', n);
    END LOOP;
END $$;
