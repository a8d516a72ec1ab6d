-- What of cash became known since the last settled day is found by the day it counts for, too.

-- Most of it counts for days to come, the installments of new loans: a look at what is past walked over all of them.
DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('DROP INDEX core.cash_day_%s_known_on', n);
        EXECUTE format('CREATE INDEX cash_day_%1$s_known_on ON core.cash_day_%1$s (book_key, known_on, effective_on)', n);
    END LOOP;
END $$;
