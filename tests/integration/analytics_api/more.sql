-- What the ingest flow does not write: names of branches, a score, alert episodes, and data two seconds old.
UPDATE core.branch SET name = 'Market Street', region = 'North' WHERE branch = 'B0';
UPDATE core.branch SET region = 'South' WHERE branch = 'B1';
INSERT INTO core.book_currency SELECT b.book_key, c.currency_key FROM core.book b, core.currency c WHERE c.code = 'EUR';
UPDATE core.stream_position SET caught_up_at = now() - interval '2 seconds';
INSERT INTO risk.score (slice, loan_key, book_key, branch_key, state_version, as_of, model, basis, default_probability,
    risk_score, band, stage, strategy, exposure_minor, expected_loss_minor, reasons, changes)
SELECT s.slice, s.loan_key, s.book_key, s.branch_key, s.version, s.as_of, 'rules-1', 'rules', 0.25, 71, 2, 2,
    'settlement', 30000, 3375, '[{"code": "days_past_due", "points": 18, "text": "40 days past due"}]',
    '[{"code": "returned", "points": 5, "text": "payment returned", "on": "2024-03-11"}]'
FROM core.loan_state s JOIN core.loan l USING (slice, loan_key) WHERE l.loan_id = 'L-2';
INSERT INTO risk.alert_episode (book_key, slice, loan_key, rule, severity, opened_on, snapshot)
SELECT s.book_key, s.slice, s.loan_key, 'days_past_due', 2, '2024-03-02', '{"days_past_due": 31}'
FROM core.loan_state s JOIN core.loan l USING (slice, loan_key) WHERE l.loan_id = 'L-2';
INSERT INTO risk.alert_episode (book_key, slice, loan_key, rule, severity, opened_on, state, closed_on, snapshot)
SELECT s.book_key, s.slice, s.loan_key, 'days_past_due', 1, '2024-02-08', 'resolved', '2024-02-20', '{}'
FROM core.loan_state s JOIN core.loan l USING (slice, loan_key) WHERE l.loan_id = 'L-3';
