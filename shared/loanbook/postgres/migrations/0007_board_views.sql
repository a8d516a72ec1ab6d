-- What single panels need beyond the views of 0006: the worst loans, and one loan's story.

CREATE VIEW reporting.risk_bands AS
SELECT name AS risk_band, band AS band_order, score_min FROM risk.band;

-- The twenty loans of each branch that are likely to cost most: HIGH and CRITICAL, by expected loss, from its index.
CREATE VIEW reporting.worst_loans AS
SELECT b.book, w.loan_id, w.currency, coalesce(br.region, 'unknown') AS region, br.branch, w.product, w.risk_band,
       w.risk_score, w.default_probability, w.expected_loss, w.exposure, w.days_past_due, w.bucket, w.overdue,
       w.last_payment_on, w.reason
FROM core.branch br
JOIN core.book b USING (book_key)
CROSS JOIN LATERAL (
    SELECT l.loan_id, c.code AS currency, coalesce(p.product, 'unknown') AS product,
           reporting.band_name(r.band) AS risk_band, r.risk_score, r.default_probability,
           reporting.major(r.expected_loss_minor, c.exponent) AS expected_loss,
           reporting.major(r.exposure_minor, c.exponent) AS exposure,
           coalesce(greatest(b.business_on - s.past_due_on, 0), 0) AS days_past_due,
           reporting.bucket_name(s.bucket) AS bucket,
           reporting.major(s.overdue_minor, c.exponent) AS overdue, s.last_payment_on,
           r.reasons -> 0 ->> 'text' AS reason
    FROM risk.score r
    JOIN core.loan l USING (slice, loan_key)
    JOIN core.loan_state s USING (slice, loan_key)
    JOIN core.currency c ON c.currency_key = s.currency_key
    LEFT JOIN core.product p ON p.product_key = s.product_key
    WHERE r.book_key = br.book_key AND r.branch_key = br.branch_key AND r.band >= 2
    ORDER BY r.expected_loss_minor DESC
    LIMIT 20
) w;

-- The loan a board shows when none is named: the one likely to cost most, else any.
CREATE FUNCTION reporting.chosen_loan(book_name text, named text) RETURNS text
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF btrim(named) <> '' THEN
        RETURN btrim(named);
    END IF;
    RETURN coalesce(
        (SELECT w.loan_id FROM reporting.worst_loans w WHERE w.book = book_name ORDER BY w.expected_loss DESC LIMIT 1),
        (SELECT l.loan_id FROM reporting.loan_now l WHERE l.book = book_name LIMIT 1));
END $$;

-- Why the score is what it is, and what moved it last.
CREATE VIEW reporting.loan_reasons AS
SELECT b.book, l.loan_id, part.kind, (item.value ->> 'points')::numeric AS points, item.value ->> 'text' AS reason,
       item.value ->> 'on' AS moved_on, item.ordinality AS place
FROM risk.score r
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b ON b.book_key = l.book_key
CROSS JOIN LATERAL (VALUES ('reason', r.reasons), ('change', r.changes)) part (kind, items)
CROSS JOIN LATERAL jsonb_array_elements(part.items) WITH ORDINALITY AS item (value, ordinality);

-- Payments that stand: counted, not copies, and not reversed since.
CREATE VIEW reporting.loan_payments AS
SELECT b.book, l.loan_id, c.code AS currency, e.event_id, e.effective_on,
       reporting.major(e.amount_minor, c.exponent) AS amount
FROM core.event e
JOIN core.loan l USING (slice, loan_key)
JOIN core.book b USING (book_key)
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.currency c ON c.currency_key = s.currency_key
WHERE e.type_key = 5 AND NOT e.is_copy
  AND NOT EXISTS (SELECT 1 FROM core.unapplied u
                  WHERE u.slice = e.slice AND u.loan_key = e.loan_key AND u.event_id = e.event_id)
  AND NOT EXISTS (
      SELECT 1
      FROM core.event undone
      CROSS JOIN jsonb_array_elements(convert_from(undone.detail, 'UTF8')::jsonb -> 'relates_to') relation
      WHERE undone.slice = e.slice AND undone.loan_key = e.loan_key AND undone.type_key = 6 AND NOT undone.is_copy
        AND relation ->> 'kind' = 'reverses' AND relation ->> 'id' IN (e.entity_id, e.event_id));

-- Planned against paid, summed up: a row on each day on which one of them moved.
CREATE VIEW reporting.loan_curve AS
SELECT book, loan_id, on_date,
       sum(sum(due)) OVER story AS planned,
       CASE WHEN on_date <= business_on THEN sum(sum(paid)) OVER story END AS paid
FROM (
    SELECT book, loan_id, due_on AS on_date, due, 0::numeric AS paid FROM reporting.installments
    UNION ALL
    SELECT book, loan_id, effective_on, 0, amount FROM reporting.loan_payments
    UNION ALL
    SELECT book, loan_id, coalesce(disbursed_on, as_of), 0, 0 FROM reporting.loan_now
    UNION ALL
    SELECT book, loan_id, business_on, 0, 0 FROM reporting.loan_now
) moves
JOIN reporting.books USING (book)
GROUP BY book, loan_id, on_date, business_on
WINDOW story AS (PARTITION BY book, loan_id ORDER BY on_date);

DO $$
DECLARE
    view_name text;
BEGIN
    FOREACH view_name IN ARRAY ARRAY['risk_bands', 'worst_loans', 'loan_reasons', 'loan_payments', 'loan_curve'] LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON reporting.%I FROM mart_writer', view_name);
        EXECUTE format('GRANT SELECT ON reporting.%I TO grafana_ro', view_name);
    END LOOP;
END $$;
