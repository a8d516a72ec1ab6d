-- All stored facts of one loan, with its score, and whether there was ever an alert about it.
-- $1: slice; $2: loan key.
SELECT b.book_key, b.book, b.business_on, l.slice, l.loan_key, l.loan_id, l.borrower_id, l.disbursed_on,
       l.annual_rate_bps, l.term_days, c.code AS currency, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product,
       coalesce(o.officer, 'unknown') AS officer, coalesce(p.settings, '{}') AS product_settings,
       CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END AS status, s.bucket, s.estimated,
       s.first_payment_default, CASE WHEN s.next_boundary_on <= b.business_on THEN s.as_of ELSE b.business_on END AS as_of, s.version, s.disbursed_minor, s.scheduled_minor,
       s.principal_outstanding_minor, s.total_outstanding_minor, s.overdue_minor, s.overdue_principal_minor,
       s.due_to_date_minor, s.paid_minor, s.overpaid_minor, s.written_off_minor, s.recovered_minor, s.next_due_minor,
       s.last_payment_minor, s.unapplied_minor, s.past_due_on, coalesce(b.business_on - s.past_due_on, 0) AS days_past_due,
       s.next_due_on, s.last_payment_on, s.closed_on, s.charged_off_on, s.restructured_on, s.missed_12m,
       s.on_time_streak, greatest(s.max_dpd, b.business_on - s.past_due_on) AS max_dpd, s.returned_payments, s.quarantine, s.changed_at,
       r.model, r.basis, r.as_of AS score_as_of, r.default_probability, r.risk_score, r.band, r.stage, r.strategy,
       r.strategy_reason, r.exposure_minor, r.expected_loss_minor, r.reasons, r.changes, r.contributions, r.scored_at,
       r.state_version,
       EXISTS (SELECT FROM risk.alert_episode a WHERE a.slice = $1 AND a.loan_key = $2) AS has_alerts
FROM core.loan l
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.book b ON b.book_key = l.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN core.product p ON p.product_key = s.product_key
LEFT JOIN core.officer o ON o.officer_key = s.officer_key
LEFT JOIN risk.score r USING (slice, loan_key)
WHERE l.slice = $1 AND l.loan_key = $2
