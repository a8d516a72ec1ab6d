-- Which of these loans were more than so many days past due at a close in a time, as known now.
-- $1, $2: slices and loan keys, one of each a loan; $3: the first day; $4: the last; $5: days past due.
WITH told AS (
    SELECT d.slice, d.loan_key, d.on_date, d.known_on, d.past_due_on
    FROM unnest($1::smallint[], $2::bigint[]) AS w (slice, loan_key)
    JOIN core.loan_day d ON d.slice = w.slice AND d.loan_key = w.loan_key
    UNION ALL
    SELECT s.slice, s.loan_key, s.as_of, s.as_of, s.past_due_on
    FROM unnest($1::smallint[], $2::bigint[]) AS w (slice, loan_key)
    JOIN core.loan_state s ON s.slice = w.slice AND s.loan_key = w.loan_key
), spans AS (
    SELECT *, min(on_date) OVER (PARTITION BY slice, loan_key ORDER BY known_on DESC, on_date DESC
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
    FROM told
)
SELECT DISTINCT slice, loan_key
FROM spans
WHERE past_due_on IS NOT NULL
  AND greatest(on_date, past_due_on + $5::integer + 1, $3::date) < least(until, $4::date + 1)
