SELECT f.fact AS "Fact", f.value AS "Value"
FROM loan_now l
CROSS JOIN LATERAL (VALUES
    (1, 'Branch', l.branch || ' (' || l.region || ')'),
    (2, 'Product', l.product),
    (3, 'Disbursed', to_char(l.disbursed, 'FM999G999G999G990.00') || ' ' || l.currency
        || coalesce(' on ' || to_char(l.disbursed_on, 'YYYY-MM-DD'), '')),
    (4, 'Paid to date', to_char(l.paid, 'FM999G999G999G990.00') || ' of ' || to_char(l.due_to_date, 'FM999G999G999G990.00') || ' due'),
    (5, 'Next installment', coalesce(to_char(l.next_due, 'FM999G999G999G990.00') || ' on ' || to_char(l.next_due_on, 'YYYY-MM-DD'), 'none')),
    (6, 'Last payment', coalesce(to_char(l.last_payment, 'FM999G999G999G990.00') || ' on ' || to_char(l.last_payment_on, 'YYYY-MM-DD'), 'never paid')),
    (7, 'Longest delay', greatest(l.max_dpd, l.days_past_due) || ' days'),
    (8, 'Missed in 12 months', l.missed_12m::text),
    (9, 'Chance of default', coalesce(to_char(l.default_probability * 100, 'FM990.0') || ' % (' || l.score_basis || ')', 'not scored')),
    (10, 'Strategy', coalesce(replace(l.strategy, '_', ' '), 'none')),
    (11, 'Not counted', CASE WHEN l.unapplied = 0 THEN 'nothing'
        ELSE l.unapplied || ' events, ' || to_char(l.unapplied_amount, 'FM999G999G999G990.00') END),
    (12, 'Principal', CASE WHEN l.estimated THEN 'pro rata (the feed gives no portions)' ELSE 'as upstream reports it' END)
) f (place, fact, value)
WHERE @loan
ORDER BY f.place
