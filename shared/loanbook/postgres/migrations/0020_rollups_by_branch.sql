-- Roll-ups no longer tell the slices of loans apart: a cell lies in the slice of its branch (branch_key & 15).

-- Slices kept batches from waiting for each other's cells; since they append, there is nothing to wait for, and one cell
-- in place of sixteen is less to write, to keep and to sum. Nobody reads a roll-up by the slice of its loans.
DO $$
DECLARE
    source text;
    target text;
    key_columns text;
    measures text;
    sums text;
BEGIN
    FOR source, target, key_columns, measures IN VALUES
        ('book_now', 'book_now_merged', 'book_key, currency_key, branch_key, product_key, bucket, status',
         'loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor, estimated_loans'),
        ('book_day', 'book_day', 'business_on, known_on, book_key, currency_key, branch_key, product_key, bucket, status',
         'loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor, estimated_loans'),
        ('cash_day', 'cash_day_merged', 'book_key, currency_key, branch_key, product_key, effective_on, known_on',
         'due_minor, due_count, current_minor, arrears_minor, advance_minor, due_collected_minor, on_time_count'),
        ('cash_minute', 'cash_minute_merged', 'book_key, currency_key, branch_key, minute', 'payments, amount_minor')
    LOOP
        SELECT string_agg(format('sum(%1$s)::bigint AS %1$s', name), ', ') INTO sums
        FROM unnest(string_to_array(measures, ', ')) AS name;
        EXECUTE format('CREATE TEMP TABLE summed AS SELECT (branch_key & 15)::smallint AS slice, %1$s, %2$s FROM core.%3$s GROUP BY %1$s',
                       key_columns, sums, source);
        EXECUTE format('TRUNCATE core.%s', source);
        EXECUTE format('INSERT INTO core.%1$s (slice, %2$s, %3$s) SELECT slice, %2$s, %3$s FROM summed', target, key_columns, measures);
        DROP TABLE summed;
    END LOOP;
END $$;
