-- Each book's business day: slices whose loans were not brought there yet, how long the roll lasts, and what waits.
SELECT d.book, d.business_on, d.closing_slices,
       CASE WHEN d.day_state LIKE 'rolling%' THEN 16 - d.rolled_slices ELSE 0 END AS waiting_slices,
       CASE WHEN d.day_state LIKE 'rolling%'
            THEN greatest(extract(epoch FROM now() - d.flipped_at), 0)::double precision ELSE 0 END AS rolling_seconds,
       (SELECT coalesce(sum(r.loans), 0)::bigint FROM reporting.restating r WHERE r.book = d.book) AS restating,
       (SELECT count(*) FROM reporting.quarantined_loans q WHERE q.book = d.book) AS quarantined
FROM reporting.day_roll_now d
