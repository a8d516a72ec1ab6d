SELECT f.fate AS "Fate", f.events AS "Events", f.events::numeric / nullif(e.received, 0) AS "Share", f.meaning AS "Meaning"
FROM event_fates e
CROSS JOIN LATERAL (VALUES
    (1, 'applied', e.applied, 'in the ledger, counted in a loan'),
    (2, 'unapplied', e.unapplied, 'in the ledger, waits for what it lacks'),
    (3, 'quarantined', e.quarantined, 'in the ledger, of loans whose fold failed'),
    (4, 'duplicate', e.duplicates, 'known already, dropped'),
    (5, 'dead letter', e.dead, 'could not be taken, bytes kept'),
    (6, 'other', e.other, 'ends of days, customers, branches'),
    (7, 'unaccounted', e.missing, 'must be none'),
    (8, 'received', e.received, 'the sum of the above')) f (place, fate, events, meaning)
ORDER BY f.place
