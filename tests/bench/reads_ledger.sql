-- The ledger of the book of reads_book.sql in the order in which it came: three events that open a loan, its payments.
-- The row's data are what the stream would have brought, so that a loan folds from it.

INSERT INTO core.event (slice, loan_key, source_key, event_id, type_key, effective_on, business_on, known_on, recorded_at,
    ingested_at, amount_minor, entity_id, detail, kafka_partition, kafka_offset)
SELECT slice, loan_key, 1, x.what || '-' || n, x.type_key, d.day, d.day, d.day, d.day + time '09:00', d.day + time '09:00', x.amount, NULL,
       convert_to(format('{"effective_date":"%s","business_date":"%s","currency":"EUR"%s}', d.day, d.day, x.rest), 'UTF8'),
       slice, n * 40::bigint + x.type_key
FROM life l
CROSS JOIN LATERAL (SELECT pg_temp.due_on(l, 1) - 30 AS day) d
CROSS JOIN LATERAL (VALUES
    ('created', 1, NULL, format(',"branch":"B%s","product":"P%s"', lpad(branch_key::text, 3, '0'), product_key)),
    ('disbursed', 2, term * principal, format(',"amount":"%s.00"', term * principal / 100)),
    ('schedule', 4, NULL, (SELECT format(',"periods":[%s]', string_agg(format(
        '{"number":%s,"due_date":"%s","principal":"%s.00","interest":"%s.00"}', k, pg_temp.due_on(l, k), principal / 100,
        interest / 100), ',')) FROM generate_series(1, term) k))
) x (what, type_key, amount, rest);

DO $$
BEGIN
    FOR k IN 1..21 LOOP
        INSERT INTO core.event (slice, loan_key, source_key, event_id, type_key, effective_on, business_on, known_on,
            recorded_at, ingested_at, amount_minor, entity_id, detail, kafka_partition, kafka_offset)
        SELECT slice, loan_key, 1, 'payment-' || n || '-' || k, 5, day, day, day, day + time '14:00', day + time '14:00',
               principal + interest, 'receipt-' || n || '-' || k,
               convert_to(format('{"effective_date":"%s","business_date":"%s","currency":"EUR","amount":"%s.00","entity_id":"receipt-%s-%s"}',
                                 day, day, (principal + interest) / 100, n, k), 'UTF8'),
               slice, n * 40::bigint + 5 + k
        FROM life l CROSS JOIN LATERAL (SELECT pg_temp.met_on(l, k) AS day) d
        WHERE k <= l.paid;
    END LOOP;
END $$;
