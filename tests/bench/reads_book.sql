-- A book of a million loans (or as many as bench.loans says) and ten payments a loan, as ingest would have left it:
-- ledger, states, plans, roll-ups, 95 closes, daily history, scores, alerts. Amounts follow from a loan's number.

INSERT INTO core.book (book, default_currency, opened_on, business_on)
VALUES ('bench', 'EUR', '2024-06-01', '2026-03-20');
INSERT INTO core.currency (code, exponent) VALUES ('EUR', 2);
INSERT INTO core.book_currency SELECT book_key, currency_key FROM core.book, core.currency;
INSERT INTO core.source (uri) VALUES ('//core.bench');
INSERT INTO core.branch (book_key, branch, name, region)
SELECT 1, 'B' || lpad(n::text, 3, '0'), 'Branch ' || n, 'R' || n % 8 FROM generate_series(1, 200) n;
INSERT INTO core.product (book_key, product) SELECT 1, 'P' || n FROM generate_series(1, 4) n;

-- Every installment is due 30 days after the one before; `paid` of them are met, and the next one stands `late` days.
CREATE TEMP TABLE life AS
SELECT n, (n % 16)::smallint AS slice, hashint8extended(n, 7) AS loan_key,
       1 + (n::bigint * 7919 / 13) % 200 AS branch_key, 1 + (n::bigint * 104729 / 17) % 4 AS product_key,
       term, paid, late, paid = term AS is_closed,
       (5 + n % 45) * 1000::bigint AS principal, (1 + n % 9) * 100::bigint AS interest,
       date '2026-03-20' - late + CASE WHEN late = 0 THEN n % 29 + 1 ELSE 0 END AS next_due_on
FROM (SELECT n, term, least(term, n * 31 % 22) AS paid,
             CASE WHEN least(term, n * 31 % 22) = term THEN 0
                  WHEN n % 40 = 14 THEN 1 + n / 40 % 30 WHEN n % 40 IN (15, 34) THEN 1 + n / 40 % 9
                  WHEN n % 40 = 17 THEN 31 + n / 40 % 30 WHEN n % 80 = 18 THEN 61 + n / 80 % 30
                  WHEN n % 80 = 58 THEN 91 + n / 80 % 200 ELSE 0 END AS late
      FROM (SELECT n, 12 + n * 17 % 25 AS term FROM generate_series(1, current_setting('bench.loans')::integer) n) t) l;
ANALYZE life;

CREATE FUNCTION pg_temp.due_on(l life, k integer) RETURNS date LANGUAGE sql IMMUTABLE
    RETURN l.next_due_on + (k - l.paid - 1) * 30;
CREATE FUNCTION pg_temp.met_on(l life, k integer) RETURNS date LANGUAGE sql IMMUTABLE
    RETURN least(date '2026-03-20', l.next_due_on + (k - l.paid - 1) * 30 - (l.n * k % 4) + CASE WHEN l.n * k % 13 = 0 THEN 6 ELSE 0 END);

INSERT INTO core.loan (slice, loan_key, book_key, loan_id, borrower_id, disbursed_on, annual_rate_bps, term_days)
SELECT slice, loan_key, 1, 'L-' || lpad(n::text, 7, '0'), 'B-' || n / 2, pg_temp.due_on(l, 1) - 30, 2400, term * 30
FROM life l;

INSERT INTO core.loan_plan (slice, loan_key, schedule_version, due_on, kind, met_on, principal_due, interest_due, fee_due,
    penalty_due, principal_paid, interest_paid, fee_paid, penalty_paid, waived)
SELECT slice, loan_key, 1, p.due_on, p.kind, p.met_on, p.principal, p.interest, '{}', '{}', p.principal_paid,
       p.interest_paid, '{}', '{}', '{}'
FROM life l
CROSS JOIN LATERAL (
    SELECT array_agg(pg_temp.due_on(l, k)) AS due_on, array_agg('installment'::text) AS kind,
           array_agg(CASE WHEN k <= l.paid THEN pg_temp.met_on(l, k) END) AS met_on,
           array_fill(l.principal, ARRAY[l.term]) AS principal, array_fill(l.interest, ARRAY[l.term]) AS interest,
           array_agg(CASE WHEN k <= l.paid THEN l.principal ELSE 0 END) AS principal_paid,
           array_agg(CASE WHEN k <= l.paid THEN l.interest ELSE 0 END) AS interest_paid
    FROM generate_series(1, l.term) k
) p;

INSERT INTO core.loan_state (slice, loan_key, book_key, currency_key, branch_key, product_key, status, bucket, as_of,
    version, fold_version, disbursed_minor, scheduled_minor, principal_outstanding_minor, total_outstanding_minor,
    overdue_minor, overdue_principal_minor, due_to_date_minor, paid_minor, next_due_minor, last_payment_minor, cohort_on,
    first_due_on, past_due_on, next_due_on, last_payment_on, closed_on, next_boundary_on, missed_12m, on_time_streak, max_dpd,
    last_effective_on, last_recorded_at, changed_at)
SELECT slice, loan_key, 1, 1, branch_key, product_key, CASE WHEN is_closed THEN 3 ELSE 1 END,
       CASE WHEN late = 0 THEN 0 WHEN late <= 30 THEN 1 WHEN late <= 60 THEN 2 WHEN late <= 90 THEN 3 ELSE 4 END,
       date '2026-03-20' - n % 20, 3 + paid, 1, term * principal, term * (principal + interest), (term - paid) * principal,
       (term - paid) * (principal + interest), missed * (principal + interest), missed * principal,
       (paid + missed) * (principal + interest), paid * (principal + interest),
       CASE WHEN is_closed THEN 0 ELSE principal + interest END, CASE WHEN paid > 0 THEN principal + interest ELSE 0 END,
       date_trunc('month', pg_temp.due_on(l, 1) - 30), pg_temp.due_on(l, 1), CASE WHEN late > 0 THEN next_due_on END,
       CASE WHEN NOT is_closed AND paid + missed < term THEN pg_temp.due_on(l, paid + missed + 1) END,
       CASE WHEN paid > 0 THEN pg_temp.met_on(l, paid) END, CASE WHEN is_closed THEN pg_temp.met_on(l, term) END,
       CASE WHEN NOT is_closed THEN date '2026-03-21' + n % 30 END, missed, paid % 12, late,
       CASE WHEN paid > 0 THEN pg_temp.met_on(l, paid) ELSE pg_temp.due_on(l, 1) - 30 END, now(), now() - (n % 86400) * interval '1 s'
FROM (SELECT life.*, least(term - paid, (late + 29) / 30) AS missed FROM life) m
JOIN life l USING (n, slice, loan_key, branch_key, product_key, term, paid, late, is_closed, principal, interest, next_due_on);

-- A cell of a roll-up lies in the slice of its branch.
INSERT INTO core.book_now (slice, book_key, currency_key, branch_key, product_key, bucket, status, loans, disbursed_minor,
    paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor)
SELECT (branch_key & 15)::smallint, 1, 1, branch_key, product_key, bucket, status, count(*), sum(disbursed_minor),
       sum(paid_minor), sum(principal_outstanding_minor), sum(total_outstanding_minor), sum(overdue_minor),
       sum(overdue_principal_minor)
FROM core.loan_state GROUP BY branch_key, product_key, bucket, status;

INSERT INTO core.book_day (slice, business_on, known_on, book_key, currency_key, branch_key, product_key, bucket, status,
    loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor, overdue_principal_minor,
    estimated_loans)
SELECT n.slice, d.day, d.day, 1, 1, n.branch_key, n.product_key, n.bucket, n.status, n.loans, n.disbursed_minor,
       n.paid_minor, n.principal_minor * f / 1000, n.outstanding_minor * f / 1000, n.overdue_minor * f / 1000,
       n.overdue_principal_minor * f / 1000, 0
FROM core.book_now n
CROSS JOIN (SELECT date '2026-03-20' - g AS day, 1000 - g AS f FROM generate_series(1, 95) g) d;
INSERT INTO core.day_roll (book_key, business_on, slice, loans, swept_at)
SELECT 1, date '2026-03-20' - g, s, 1000, now() FROM generate_series(1, 95) g, generate_series(0, 15) s;

-- What a loan was before each payment of the last four months.
INSERT INTO core.loan_day (slice, loan_key, on_date, known_on, book_key, currency_key, branch_key, product_key, bucket,
    status, past_due_on, loans, disbursed_minor, paid_minor, principal_minor, outstanding_minor, overdue_minor,
    overdue_principal_minor, estimated_loans)
SELECT slice, loan_key, day, day, 1, 1, branch_key, product_key, 0, 1, NULL, 1, term * principal,
       (k - 1) * (principal + interest), (term - k + 1) * principal, (term - k + 1) * (principal + interest), 0, 0, 0
FROM life l
CROSS JOIN LATERAL generate_series(greatest(1, l.paid - 3), l.paid) k
CROSS JOIN LATERAL (SELECT CASE WHEN k = 1 THEN pg_temp.due_on(l, 1) - 30 ELSE pg_temp.met_on(l, k - 1) END AS day) d;

INSERT INTO core.cash_day (slice, book_key, currency_key, branch_key, product_key, effective_on, known_on, due_minor,
    due_count, due_collected_minor, current_minor, arrears_minor, advance_minor, on_time_count)
SELECT (branch_key & 15)::smallint, 1, 1, branch_key, product_key, day, least(day, date '2026-03-20'), sum(due), count(*),
       sum(due * in_time), sum(due * in_time) * 7 / 10, sum(due) / 9, sum(due) / 6, sum(in_time)
FROM (SELECT branch_key, product_key, pg_temp.due_on(l, k) AS day, principal + interest AS due,
             CASE WHEN k <= paid AND n * k % 23 > 0 THEN 1 ELSE 0 END AS in_time
      FROM life l CROSS JOIN LATERAL generate_series(greatest(1, l.paid - 6), least(l.term, l.paid + 2)) k) dues
GROUP BY branch_key, product_key, day;

INSERT INTO core.cash_minute (slice, book_key, currency_key, branch_key, minute, payments, amount_minor)
SELECT b % 16, 1, 1, b, date_trunc('minute', now()) - make_interval(mins => m), 1 + (m * 7 + b * 3) % 5,
       (40 + (m * 13 + b * 29) % 160) * 100 * (1 + (m * 7 + b * 3) % 5)
FROM generate_series(0, 1439) m, generate_series(1, 200) b WHERE (m + b) % 3 > 0;

-- Risk: two runs of the model on every active loan.
INSERT INTO risk.band (band, name, score_min) VALUES (0, 'LOW', 0), (1, 'WATCH', 40), (2, 'HIGH', 60), (3, 'CRITICAL', 80)
ON CONFLICT DO NOTHING;
INSERT INTO risk.score (slice, loan_key, book_key, branch_key, state_version, as_of, model, basis, default_probability,
    risk_score, band, stage, strategy, exposure_minor, expected_loss_minor, reasons, changes, scored_at)
SELECT s.slice, s.loan_key, 1, s.branch_key, s.version, '2026-03-20', 'rules-1', 'rules', p.score * p.score / 11000.0,
       p.score, CASE WHEN p.score >= 80 THEN 3 WHEN p.score >= 60 THEN 2 WHEN p.score >= 40 THEN 1 ELSE 0 END, 1, 'reminder',
       s.principal_outstanding_minor, s.principal_outstanding_minor * p.score * p.score / 18000,
       jsonb_build_array(jsonb_build_object('code', 'dpd', 'points', s.max_dpd / 3,
               'text', format('Oldest unpaid installment is %s days past due', s.max_dpd)),
           jsonb_build_object('code', 'missed', 'points', 4 * s.missed_12m,
               'text', format('%s installments missed in 12 months', s.missed_12m))), '[]', now() - interval '1 day'
FROM core.loan_state s
CROSS JOIN LATERAL (SELECT least(97, 12 + abs(s.loan_key % 27) + s.max_dpd * 3 / 5)::smallint AS score) p
WHERE s.status = 1;
INSERT INTO risk.score_history (slice, loan_key, state_version, as_of, model, default_probability, risk_score, band,
    features, scored_at)
SELECT slice, loan_key, state_version - k, date '2026-03-20' - k * 21, 'rules-1', default_probability,
       risk_score, band, '{}', now() - k * interval '21 days'
FROM risk.score, generate_series(0, 1) k;
INSERT INTO risk.alert_episode (book_key, slice, loan_key, branch_key, rule, severity, state, baseline, opened_on, opened_at,
    acknowledged_by, snapshot)
SELECT 1, s.slice, s.loan_key, s.branch_key, 'days_past_due',
       CASE WHEN s.max_dpd > 90 THEN 3 WHEN s.max_dpd > 30 THEN 2 ELSE 1 END,
       CASE WHEN s.loan_key % 3 = 0 THEN 'acknowledged' ELSE 'open' END, s.max_dpd > 120, s.past_due_on + 8,
       now() - interval '2 hours', CASE WHEN s.loan_key % 3 = 0 THEN 'collector-2' END, jsonb '{}'
FROM core.loan_state s WHERE s.max_dpd > 7;
INSERT INTO core.unapplied (slice, loan_key, event_id, reason, amount_minor)
SELECT slice, loan_key, 'created-' || n, 'future_dated', 12550 FROM life WHERE n % 2000 = 3;
INSERT INTO core.stream_position (cluster_id, topic, partition, slice, next_offset, caught_up_at, owner)
SELECT 'cluster', 'loan.events.v1', p, p, 1000, now(), 'worker-1' FROM generate_series(0, 15) p;
INSERT INTO core.day_reached (book_key, slice, business_on) SELECT 1, p, '2026-03-19' FROM generate_series(0, 15) p;
