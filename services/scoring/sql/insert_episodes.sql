-- Open episodes.
-- $1 rule; then one array a column: $2 slice, $3 loan, $4 book, $5 severity, $6 silent, $7 opened on, $8 snapshot.
INSERT INTO risk.alert_episode (slice, rule, loan_key, book_key, severity, baseline, opened_on, snapshot)
SELECT slice, $1, loan_key, book_key, severity, baseline, opened_on, snapshot::jsonb
FROM unnest($2::smallint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::boolean[], $7::date[], $8::text[])
    AS g (slice, loan_key, book_key, severity, baseline, opened_on, snapshot)
ORDER BY slice, loan_key
RETURNING episode_id, loan_key
