-- A small book in the middle of its life, for the boards: 600 loans, 8 branches, 4 products, 120 closed days.
-- Amounts follow from the loan's number, so every run draws the same picture; only "now" moves with the clock.

INSERT INTO core.book (book, timezone, default_currency, opened_on, business_on)
VALUES ('riverside', 'UTC', 'EUR', '2025-04-01', '2026-03-20');
INSERT INTO core.currency (code, exponent) VALUES ('EUR', 2);
INSERT INTO core.book_currency SELECT book_key, currency_key FROM core.book, core.currency;
INSERT INTO core.source (uri) VALUES ('//core.riverside');
INSERT INTO core.branch (book_key, branch, name, region, manager)
SELECT 1, v.branch, v.branch, v.region, 'M. ' || v.branch
FROM (VALUES ('Amber Quay', 'Coast'), ('Birchfield', 'North'), ('Copperton', 'North'), ('Dunmore', 'South'),
             ('Eastgate', 'Coast'), ('Fernhill', 'North'), ('Glenrock', 'South'), ('O''Malley Cross', 'South'))
     AS v (branch, region);
INSERT INTO core.product (book_key, product)
SELECT 1, v.product FROM (VALUES ('personal'), ('group'), ('small business'), ('school fees')) AS v (product);

-- Each loan's life: 12 monthly installments; `late` is how many days its oldest unpaid one is due, 0 when current.
CREATE TEMP TABLE life AS
SELECT n, (n % 16)::smallint AS slice, 1 + (n * 7919 / 13) % 8 AS branch_key, 1 + (n * 104729 / 17) % 4 AS product_key,
       (800 + n * 37 % 4200) * 100::bigint AS principal,
       date '2025-05-20' + (n % 9) * 30 + (n * 11 % 28) AS disbursed_on,
       CASE n % 40 WHEN 14 THEN 3 + n / 40 % 13 * 2 WHEN 34 THEN 1 + n / 40 % 9 WHEN 15 THEN 31 + n / 40 % 14 * 2
                   WHEN 17 THEN 62 + n / 40 % 14 * 2 WHEN 18 THEN 95 + n / 40 % 15 * 4 ELSE 0 END AS late,
       n % 20 = 19 AS is_closed
FROM generate_series(1, 600) n;

CREATE TEMP TABLE installment AS
SELECT l.n, l.slice, k AS number,
       CASE WHEN l.late > 0 THEN date '2026-03-20' - l.late + (k - greatest(2, 6 - l.late / 30)) * 30
            ELSE l.disbursed_on + k * 30 END AS due_on,
       l.principal / 12 AS principal_due, l.principal / 80 AS interest_due, l.is_closed, l.late
FROM life l, generate_series(1, 12) k;

ALTER TABLE installment ADD COLUMN met_on date;
UPDATE installment SET met_on = due_on - (n * number % 4) + CASE WHEN n * number % 13 = 0 THEN 6 ELSE 0 END
WHERE is_closed OR due_on < date '2026-03-20' - late OR (late = 0 AND due_on = date '2026-03-20' AND n % 2 = 0);
UPDATE installment SET met_on = least(met_on, date '2026-03-20') WHERE met_on IS NOT NULL;

UPDATE life l SET disbursed_on = i.first_due_on - 30
FROM (SELECT n, min(due_on) AS first_due_on FROM installment GROUP BY n) i WHERE i.n = l.n AND l.late > 0;

INSERT INTO core.loan (slice, loan_key, book_key, loan_id, borrower_id, disbursed_on, annual_rate_bps, term_days)
SELECT slice, n, 1, 'L-' || lpad(n::text, 5, '0'), 'B-' || n / 2, disbursed_on, 2400, 360 FROM life;

INSERT INTO core.loan_plan
SELECT slice, n, 1, array_agg(due_on ORDER BY number), array_agg('regular'::text), array_agg(met_on ORDER BY number),
       array_agg(principal_due ORDER BY number), array_agg(interest_due ORDER BY number),
       array_agg(0::bigint), array_agg(0::bigint),
       array_agg(CASE WHEN met_on IS NULL THEN 0 ELSE principal_due END ORDER BY number),
       array_agg(CASE WHEN met_on IS NULL THEN 0 ELSE interest_due END ORDER BY number),
       array_agg(0::bigint), array_agg(0::bigint), array_agg(0::bigint)
FROM installment GROUP BY slice, n;

INSERT INTO core.loan_state (slice, loan_key, book_key, currency_key, branch_key, product_key, status, bucket, as_of,
    version, fold_version, disbursed_minor, scheduled_minor, principal_outstanding_minor, total_outstanding_minor,
    overdue_minor, overdue_principal_minor, due_to_date_minor, paid_minor, next_due_minor, last_payment_minor,
    past_due_on, next_due_on, last_payment_on, closed_on, missed_12m, max_dpd, unapplied, unapplied_minor)
SELECT l.slice, l.n, 1, 1, l.branch_key, l.product_key, CASE WHEN l.is_closed THEN 3 ELSE 1 END,
       CASE WHEN l.late = 0 THEN 0 WHEN l.late <= 30 THEN 1 WHEN l.late <= 60 THEN 2 WHEN l.late <= 90 THEN 3 ELSE 4 END,
       '2026-03-20', 7, 1, l.principal, i.scheduled, i.principal_left, i.left_over, i.overdue, i.overdue_principal,
       i.due_to_date, i.paid, i.next_due, i.one, CASE WHEN l.late > 0 THEN date '2026-03-20' - l.late END, i.next_due_on,
       i.last_payment_on, CASE WHEN l.is_closed THEN i.last_payment_on END, i.missed, l.late,
       CASE WHEN l.n = 333 THEN 1 ELSE 0 END, CASE WHEN l.n = 333 THEN 12550 ELSE 0 END
FROM life l
JOIN LATERAL (
    SELECT sum(principal_due + interest_due) AS scheduled, max(principal_due + interest_due) AS one,
           coalesce(sum(principal_due) FILTER (WHERE met_on IS NULL), 0) AS principal_left,
           coalesce(sum(principal_due + interest_due) FILTER (WHERE met_on IS NULL), 0) AS left_over,
           coalesce(sum(principal_due + interest_due) FILTER (WHERE met_on IS NULL AND due_on < '2026-03-20'), 0) AS overdue,
           coalesce(sum(principal_due) FILTER (WHERE met_on IS NULL AND due_on < '2026-03-20'), 0) AS overdue_principal,
           coalesce(sum(principal_due + interest_due) FILTER (WHERE due_on <= '2026-03-20'), 0) AS due_to_date,
           coalesce(sum(principal_due + interest_due) FILTER (WHERE met_on IS NOT NULL), 0) AS paid,
           coalesce(max(principal_due + interest_due) FILTER (WHERE met_on IS NULL AND due_on >= '2026-03-20'), 0) AS next_due,
           min(due_on) FILTER (WHERE met_on IS NULL AND due_on >= '2026-03-20') AS next_due_on,
           max(met_on) AS last_payment_on,
           count(*) FILTER (WHERE met_on IS NULL AND due_on < '2026-03-20') AS missed
    FROM installment i WHERE i.n = l.n
) i ON true;

INSERT INTO core.book_now (slice, book_key, currency_key, branch_key, product_key, bucket, status, loans, disbursed_minor,
    paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor)
SELECT slice, 1, 1, branch_key, product_key, bucket, status, count(*), sum(disbursed_minor), sum(paid_minor),
       sum(principal_outstanding_minor), sum(total_outstanding_minor), sum(overdue_minor), sum(overdue_principal_minor)
FROM core.loan_state GROUP BY slice, branch_key, product_key, bucket, status;

-- 120 closes: the book grew, and lateness came and went.
INSERT INTO core.book_day (slice, business_on, known_on, book_key, currency_key, branch_key, product_key, bucket, status,
    loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor,
    estimated_loans)
SELECT n.slice, d.day, d.day, 1, 1, n.branch_key, n.product_key, n.bucket, n.status, n.loans, n.disbursed_minor,
       n.paid_minor, round(n.principal_minor * f.factor)::bigint, round(n.outstanding_minor * f.factor)::bigint,
       round(n.overdue_minor * f.factor)::bigint, round(n.overdue_principal_minor * f.factor)::bigint, 0
FROM core.book_now n
CROSS JOIN (SELECT date '2026-03-20' - g AS day, g FROM generate_series(1, 120) g) d
CROSS JOIN LATERAL (SELECT CASE WHEN n.bucket = 0 THEN 1 - 0.0021 * g + 0.012 * sin(g / 6.0)
                                ELSE 1 - 0.0038 * g + (0.10 + 0.03 * n.branch_key) * sin((g + 9 * n.bucket) / 11.0) END) f (factor);

INSERT INTO core.cash_day (slice, book_key, currency_key, branch_key, product_key, effective_on, known_on, due_minor,
    due_count, due_collected_minor, current_minor, arrears_minor, advance_minor, on_time_count)
SELECT slice, 1, 1, branch_key, product_key, due_on, least(due_on, date '2026-03-20'), sum(due), count(*),
       coalesce(sum(due) FILTER (WHERE in_time), 0), coalesce(sum(due) FILTER (WHERE in_time), 0) * 7 / 10,
       CASE WHEN due_on <= '2026-03-20' THEN sum(due) / 9 ELSE 0 END, sum(due) / 6,
       count(*) FILTER (WHERE in_time)
FROM (SELECT l.slice, l.branch_key, l.product_key, i.due_on, i.principal_due + i.interest_due AS due,
             (i.met_on <= i.due_on) IS TRUE AND i.n * i.number % 23 > 0 AS in_time
      FROM installment i JOIN life l USING (n)
      WHERE i.due_on BETWEEN '2025-10-01' AND '2026-04-20') dues
GROUP BY slice, branch_key, product_key, due_on;

INSERT INTO core.cash_minute (slice, book_key, currency_key, branch_key, minute, payments, amount_minor)
SELECT b % 16, 1, 1, b, date_trunc('minute', now()) - make_interval(mins => m), 1 + (m * 7 + b * 3) % 5,
       (40 + (m * 13 + b * 29) % 160) * 100 * (1 + (m * 7 + b * 3) % 5)
FROM generate_series(0, 58) m, generate_series(1, 8) b WHERE (m + b) % 3 > 0;

-- The ledger: opened, disbursed, every payment; one copy, one that waits for its day, three returned today.
INSERT INTO core.event (slice, loan_key, source_key, event_id, type_key, effective_on, business_on, known_on, recorded_at,
    amount_minor, entity_id, detail, is_copy, kafka_partition, kafka_offset)
SELECT slice, n, 1, 'created-' || n, 1, disbursed_on, disbursed_on, disbursed_on, disbursed_on + time '09:00', NULL, NULL,
       convert_to('{}', 'UTF8'), false, slice, n * 100 FROM life
UNION ALL
SELECT slice, n, 1, 'disbursed-' || n, 2, disbursed_on, disbursed_on, disbursed_on, disbursed_on + time '09:05', principal,
       NULL, convert_to('{}', 'UTF8'), false, slice, n * 100 + 1 FROM life
UNION ALL
SELECT slice, n, 1, 'payment-' || n || '-' || number, 5, met_on, met_on, met_on, met_on + time '14:00',
       principal_due + interest_due, 'receipt-' || n || '-' || number, convert_to('{}', 'UTF8'), false, slice, n * 100 + 1 + number
FROM installment WHERE met_on IS NOT NULL
UNION ALL
SELECT slice, n, 1, 'payment-again-' || n, 5, '2026-03-02', '2026-03-02', '2026-03-02', timestamp '2026-03-02 14:05', 9900,
       'receipt-' || n || '-1', convert_to('{}', 'UTF8'), true, slice, n * 100 + 40 FROM life WHERE n % 50 = 0
UNION ALL
SELECT slice, n, 1, 'ahead-' || n, 5, '2026-03-25', '2026-03-20', '2026-03-20', timestamp '2026-03-20 10:00', 12550,
       'receipt-ahead', convert_to('{}', 'UTF8'), false, slice, n * 100 + 41 FROM life WHERE n = 333
UNION ALL
SELECT slice, n, 1, 'returned-' || n, 6, '2026-03-20', '2026-03-20', '2026-03-20', timestamp '2026-03-20 11:00', NULL,
       NULL, convert_to(format('{"relates_to": [{"kind": "reverses", "id": "receipt-%s-1"}]}', n), 'UTF8'), false,
       slice, n * 100 + 42 FROM life WHERE n IN (14, 34, 114);
INSERT INTO core.unapplied (slice, loan_key, event_id, reason, amount_minor)
SELECT slice, n, 'ahead-' || n, 'future_dated', 12550 FROM life WHERE n = 333;

-- Risk.
INSERT INTO risk.band (band, name, score_min) VALUES (0, 'LOW', 0), (1, 'WATCH', 40), (2, 'HIGH', 60), (3, 'CRITICAL', 80);
INSERT INTO risk.score (slice, loan_key, book_key, branch_key, state_version, as_of, model, basis, default_probability,
    risk_score, band, stage, strategy, exposure_minor, expected_loss_minor, reasons, changes, scored_at)
SELECT s.slice, s.loan_key, 1, s.branch_key, 7, '2026-03-20', 'rules-1', 'rules', p.chance, p.score,
       CASE WHEN p.score >= 80 THEN 3 WHEN p.score >= 60 THEN 2 WHEN p.score >= 40 THEN 1 ELSE 0 END, 1, 'reminder',
       s.principal_outstanding_minor, round(s.principal_outstanding_minor * p.chance * 0.6)::bigint,
       jsonb_build_array(
           jsonb_build_object('code', 'dpd', 'points', s.max_dpd / 3,
               'text', format('Oldest unpaid installment is %s days past due', s.max_dpd)),
           jsonb_build_object('code', 'missed', 'points', 4 * s.missed_12m,
               'text', format('%s installments missed in 12 months', s.missed_12m)),
           jsonb_build_object('code', 'repaid', 'points', -6, 'text', 'More than a third is repaid')),
       jsonb_build_array(jsonb_build_object('code', 'dpd', 'points', 5, 'on', '2026-03-18',
           'text', 'Installment of 18 March unpaid')), now()
FROM core.loan_state s
CROSS JOIN LATERAL (SELECT least(97, 12 + s.loan_key % 27 + s.max_dpd * 3 / 5) AS score) q
CROSS JOIN LATERAL (SELECT q.score::smallint AS score, q.score * q.score / 11000.0 AS chance) p
WHERE s.status = 1;
INSERT INTO risk.score_history (slice, loan_key, state_version, as_of, model, default_probability, risk_score, band,
    features, scored_at)
SELECT slice, loan_key, 7 - k, date '2026-03-20' - k * 21, 'rules-1', default_probability * (1 - k * 0.15),
       round(risk_score * (1 - k * 0.13))::smallint, greatest(0, band - k / 2), '{}', now() - k * interval '21 days'
FROM risk.score, generate_series(0, 5) k;
INSERT INTO risk.alert_episode (book_key, slice, loan_key, branch_key, rule, severity, state, baseline, opened_on, opened_at,
    closed_on, close_reason, acknowledged_by, snapshot)
SELECT 1, s.slice, s.loan_key, s.branch_key, 'days_past_due', CASE WHEN s.max_dpd > 90 THEN 3 WHEN s.max_dpd > 30 THEN 2 ELSE 1 END,
       CASE WHEN s.loan_key % 3 = 0 THEN 'acknowledged' ELSE 'open' END, s.max_dpd > 120,
       s.past_due_on + 8, now() - interval '2 hours', NULL, NULL, CASE WHEN s.loan_key % 3 = 0 THEN 'collector-2' END, jsonb '{}'
FROM core.loan_state s WHERE s.max_dpd > 7
UNION ALL
SELECT 1, s.slice, s.loan_key, s.branch_key, 'first_payment_missed', 2, 'resolved', false, date '2025-11-03',
       now() - interval '130 days', date '2025-11-09', 'paid', 'collector-1', jsonb '{}'
FROM core.loan_state s WHERE s.max_dpd > 60;

-- What the refresh would have written a few seconds ago, and a stream that has caught up.
INSERT INTO reporting.risk_mart
SELECT 1, 1, s.branch_key, s.product_key, r.band, r.basis, count(*), sum(r.exposure_minor), sum(r.expected_loss_minor)
FROM risk.score r JOIN core.loan_state s USING (slice, loan_key) GROUP BY s.branch_key, s.product_key, r.band, r.basis;
INSERT INTO reporting.past_due_mart
SELECT 1, 1, branch_key, product_key, past_due_on, count(*), sum(principal_outstanding_minor), sum(overdue_minor)
FROM core.loan_state WHERE past_due_on IS NOT NULL GROUP BY branch_key, product_key, past_due_on;
INSERT INTO reporting.mart_refresh VALUES ('risk', now(), 12), ('past_due', now(), 9), ('reconciliation', now(), 15);

-- Months: what was due and came, how loans moved from month end to month end, and cohorts with those ever late.
INSERT INTO reporting.tally_mark VALUES (1, '2026-03-19', 0, '2026-03-19');
INSERT INTO reporting.tally_month_mart
SELECT 1, 1, l.branch_key, l.product_key, date_trunc('month', t.day)::date, t.measure, count(*), sum(t.amount)
FROM (SELECT *, principal_due + interest_due AS due, coalesce(met_on, '2026-03-20') - due_on AS days_late FROM installment) i
JOIN life l USING (n)
CROSS JOIN LATERAL (VALUES
    (i.due_on, 2, i.due),
    (CASE WHEN date_trunc('month', i.met_on) <= date_trunc('month', i.due_on) THEN i.due_on END, 3, i.due),
    (i.met_on, 4, i.due),
    (i.due_on, CASE WHEN i.met_on <= i.due_on THEN 5 WHEN i.met_on IS NOT NULL AND i.days_late <= 30 THEN 6
                    WHEN i.days_late > 30 THEN 7 ELSE 8 END, i.due),
    (CASE WHEN i.n % 71 = 3 AND i.number = 3 THEN i.due_on END, 11, i.principal_due * 9),
    (CASE WHEN i.n % 71 = 3 AND i.number = 3 THEN i.due_on END, 12, i.principal_due * 9),
    (CASE WHEN i.n % 71 = 3 AND i.number = 3 THEN i.due_on END, 13, i.principal_due * 2)) t (day, measure, amount)
WHERE t.day <= '2026-03-19'
GROUP BY l.branch_key, l.product_key, date_trunc('month', t.day), t.measure;

CREATE TEMP TABLE moved AS
SELECT s.branch_key, s.product_key, (s.loan_key + x.more) % 7 > 1 AS stays, s.principal_outstanding_minor AS principal_minor,
       x.opening_on, x.closing_on, greatest(1, s.bucket)::smallint AS late_bucket, s.bucket,
       CASE WHEN s.loan_key % 9 = 4 AND s.bucket > 0 THEN 0 WHEN s.bucket > 0 THEN s.bucket - 1 ELSE (s.loan_key % 41 = 1)::int END::smallint AS before
FROM core.loan_state s
CROSS JOIN (VALUES (date '2026-01-31', date '2026-02-28', 0), (date '2026-02-28', date '2026-03-19', 1)) AS x (opening_on, closing_on, more)
WHERE s.status = 1;
INSERT INTO reporting.roll_mart (book_key, currency_key, branch_key, product_key, opening_on, closing_on, bucket, place, loans, principal_minor)
SELECT 1, 1, branch_key, product_key, opening_on, closing_on, CASE WHEN stays THEN bucket ELSE before END,
       CASE WHEN bucket = 4 AND NOT stays THEN 7 ELSE bucket END, count(*), sum(principal_minor)
FROM moved GROUP BY 3, 4, 5, 6, 7, 8;
INSERT INTO reporting.move_mart
SELECT 1, date_trunc('month', closing_on)::date, 1, branch_key, product_key, late_bucket, late_bucket, CASE WHEN stays THEN late_bucket ELSE 0 END,
       CASE WHEN stays THEN 0 WHEN principal_minor % 17 = 0 THEN 2 WHEN principal_minor % 19 = 0 THEN 3 ELSE 1 END,
       count(*), sum(principal_minor), 0, 0
FROM moved WHERE bucket > 0 GROUP BY 2, branch_key, product_key, late_bucket, 7, 8, 9;

INSERT INTO reporting.cohort_mark VALUES (1, '2026-03-19', 0, now());
INSERT INTO reporting.cohort_mart (book_key, currency_key, branch_key, product_key, officer_key, by_week, cohort_on, youngest_on, loans,
    disbursed_minor, known_loans, known_minor, defaulted_loans, defaulted_minor)
SELECT 1, 1, branch_key, product_key, 0, false, date_trunc('month', disbursed_on), max(disbursed_on), count(*), sum(principal), count(*),
       sum(principal), 0, 0
FROM life GROUP BY branch_key, product_key, date_trunc('month', disbursed_on);
INSERT INTO reporting.vintage_mart
SELECT 1, 1, branch_key, product_key, false, date_trunc('month', disbursed_on), 30, 2 + n % 7, count(*), sum(principal)
FROM life WHERE late > 30 OR n % 23 = 5 GROUP BY branch_key, product_key, date_trunc('month', disbursed_on), n % 7;
INSERT INTO core.stream_position (cluster_id, topic, partition, slice, next_offset, caught_up_at, owner)
SELECT 'cluster', 'loan.events.v1', p, p, 1000, now() - interval '2 seconds', 'worker-1' FROM generate_series(0, 15) p;

-- Who vouches: counters that add up, two dead letters, a loan in quarantine, a backdated event's traces, statements, a verification.
UPDATE core.stream_position p SET (received, taken, duplicates, dead, other) = (
    SELECT e.events + 12 + d.letters + 350, e.events, 12, d.letters, 350
    FROM (SELECT count(*) AS events FROM core.event WHERE slice = p.partition) e,
         (SELECT (p.partition IN (3, 7))::int AS letters) d);
INSERT INTO core.dead_letter (slice, cluster_id, topic, partition, kafka_offset, reason, field, raw, first_seen)
SELECT p, 'cluster', 'loan.events.v1', p, 77, 'more decimals than EUR has', 'data.amount', '\x7b7d', now() - interval '41 minutes'
FROM unnest(ARRAY[3, 7]) p;
UPDATE core.loan_state SET quarantine = 'ValueError: a schedule without an installment' WHERE loan_key = 599;
INSERT INTO core.day_roll (book_key, business_on, slice, flipped_at, loans, swept_at)
SELECT 1, '2026-03-19', n, now() - interval '3 hours', 40, now() - interval '3 hours' FROM generate_series(0, 15) n;
INSERT INTO core.restated_day VALUES (1, '2026-03-11', '2026-03-17', 2), (1, '2026-03-12', '2026-03-17', 2), (1, '2026-02-03', '2026-02-05', 1);
INSERT INTO core.restate (slice, loan_key, from_on, known_on) SELECT slice, n, '2026-03-10', '2026-03-20' FROM life WHERE n IN (14, 34);
INSERT INTO core.verification (run_id, book_key, started_at, finished_at, is_complete, loans, differences, details)
VALUES (1, 1, now() - interval '3 hours', now() - interval '175 minutes', true, 600, 0, '{"by_table": {}}'),
       (1, NULL, now() - interval '3 hours', now() - interval '175 minutes', true, 0, 0, '{"by_table": {}}');
INSERT INTO reporting.statement (slice, loan_key, book_key, currency_key, source_key, event_id, stated_on, booked_on, compared_at,
    stated_status, stated_principal_minor, stated_overdue_minor, stated_days_past_due, our_status, our_principal_minor,
    our_overdue_minor, our_days_past_due, differs_in)
SELECT s.slice, s.loan_key, 1, 1, 1, 'stated-' || s.loan_key, '2026-03-19', '2026-03-19', now(), 'active',
       s.principal_outstanding_minor - x.off, s.overdue_minor, s.max_dpd - x.days, 'active', s.principal_outstanding_minor,
       s.overdue_minor, s.max_dpd,
       string_to_array(concat_ws(',', CASE WHEN x.off <> 0 THEN 'principal_outstanding' END,
                                 CASE WHEN x.days <> 0 THEN 'days_past_due' END), ',')
FROM core.loan_state s
CROSS JOIN LATERAL (SELECT CASE WHEN s.loan_key % 97 = 5 THEN s.loan_key * 13 ELSE 0 END AS off,
                           CASE WHEN s.max_dpd > 0 AND s.loan_key % 149 IN (14, 34) THEN 1 ELSE 0 END AS days) x
WHERE s.status = 1 AND s.loan_key % 6 > 0;
UPDATE reporting.statement SET stated_on = '2026-01-31', booked_on = '2026-01-31' WHERE loan_key IN (58, 98);
UPDATE core.loan_state SET last_effective_on = last_payment_on;
INSERT INTO reporting.pipeline_minute (minute, events, payments, dead_letters, scores, data_age_ms, outbox_waiting, scores_behind,
    restating, deliveries_waiting)
SELECT date_trunc('minute', now()) - make_interval(mins => m), 40 + m * 7 % 23, 30, (m = 41)::int, 35 + m * 5 % 17,
       900 + m * 613 % 2400 + CASE WHEN m BETWEEN 38 AND 42 THEN 46000 ELSE 0 END, m % 3,
       CASE WHEN m BETWEEN 37 AND 42 THEN 25 + m % 7 ELSE m % 5 END, CASE WHEN m < 12 THEN 2 ELSE 0 END, m * 7 % 4
FROM generate_series(0, 58) m;
ANALYZE;
