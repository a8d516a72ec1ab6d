SELECT f.what AS "Statements", f.loans::bigint AS "Loans"
FROM (
    SELECT coalesce(sum(stated), 0) AS stated, coalesce(sum(waiting), 0) AS waiting, coalesce(sum(drifting), 0) AS drifting,
           coalesce(sum(drifting_status), 0) AS status, coalesce(sum(drifting_principal), 0) AS principal,
           coalesce(sum(drifting_overdue), 0) AS overdue, coalesce(sum(drifting_days_past_due), 0) AS dpd,
           coalesce(sum(never_confirmed), 0) AS never
    FROM reconciliation WHERE @book
) r
CROSS JOIN LATERAL (VALUES
    (1, 'stated by upstream', r.stated), (2, 'still to compare', r.waiting), (3, 'drifting', r.drifting),
    (4, '... in principal', r.principal), (5, '... in overdue', r.overdue), (6, '... in days past due', r.dpd),
    (7, '... in status', r.status), (8, 'running, never confirmed', r.never)) f (place, what, loans)
ORDER BY f.place
