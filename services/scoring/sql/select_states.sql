-- The states of some loans with what their terms and plans say and the scores that stand, a row a slice: a table's
-- numbers in one value, as reading.py reads them, days as ordinals, 0 for none. All keys of a slice are one walk
-- through one index of each table; who belongs to whom is found by the reader. A state holds until the day before its
-- next boundary, and no longer than the book has come.
-- $1 slices, $2 loan keys, $3 whether to read terms and plan, too.
SELECT wanted.slice, s.states, l.terms, p.plans, r.scores, r.models, r.contributions
FROM (
    SELECT slice, array_agg(loan_key) AS keys, array_agg(loan_key) FILTER (WHERE is_new) AS new_keys
    FROM unnest($1::smallint[], $2::bigint[], $3::boolean[]) AS t (slice, loan_key, is_new)
    GROUP BY slice
) wanted
CROSS JOIN LATERAL (
    SELECT string_agg(array_send(ARRAY[
               s.loan_key, s.book_key, s.branch_key, s.version, s.status,
               greatest(s.as_of, least(b.business_on, s.next_boundary_on - 1)) - date '0001-01-01' + 1,
               (s.charged_off_on IS NOT NULL)::integer, b.silent,
               coalesce(s.cohort_on - date '0001-01-01' + 1, 0),
               coalesce(s.past_due_on - date '0001-01-01' + 1, 0),
               coalesce(s.last_payment_on - date '0001-01-01' + 1, 0),
               coalesce(s.restructured_on - date '0001-01-01' + 1, 0),
               s.scheduled_minor, s.total_outstanding_minor, s.principal_outstanding_minor, s.overdue_minor,
               s.overdue_principal_minor, s.on_time_streak, s.max_dpd, s.returned_payments,
               cardinality(s.recent_days_late), coalesce(s.recent_days_late[1], 0) + coalesce(s.recent_days_late[2], 0)
                   + coalesce(s.recent_days_late[3], 0),
               s.terms_version
           ]::bigint[]), '') AS states
    FROM core.loan_state s
    JOIN (
        SELECT book_key, business_on, (replaying OR (w.book_key IS NOT NULL AND caught_up_at IS NULL))::integer AS silent
        FROM core.book
        LEFT JOIN risk.watch w USING (book_key)
        OFFSET 0  -- made once, not for every loan
    ) b USING (book_key)
    WHERE s.slice = wanted.slice AND s.loan_key = ANY (wanted.keys)
) s
CROSS JOIN LATERAL (
    SELECT string_agg(array_send(ARRAY[
               l.loan_key, coalesce(l.term_days, -1), coalesce(l.disbursed_on - date '0001-01-01' + 1, 0)
           ]::bigint[]), '') AS terms
    FROM core.loan l
    WHERE l.slice = wanted.slice AND l.loan_key = ANY (wanted.new_keys)
) l
CROSS JOIN LATERAL (
    SELECT string_agg(array_send(ARRAY[
               p.loan_key, cardinality(p.due_on), p.due_on[1] - date '0001-01-01' + 1,
               p.due_on[cardinality(p.due_on)] - date '0001-01-01' + 1
           ]::bigint[]), '') AS plans
    FROM core.loan_plan p
    WHERE p.slice = wanted.slice AND p.loan_key = ANY (wanted.new_keys) AND p.due_on <> '{}'
) p
CROSS JOIN LATERAL (
    SELECT string_agg(array_send(ARRAY[
               r.loan_key, r.state_version, r.as_of - date '0001-01-01' + 1, (r.basis = 'rule')::integer, r.risk_score,
               r.band, coalesce(r.recorded_on - date '0001-01-01' + 1, 0)
           ]::bigint[]) || array_send(ARRAY[coalesce(r.recorded_probability, 'NaN')]), '') AS scores,
           array_agg(r.model) AS models, array_agg(r.contributions::text) AS contributions
    FROM risk.score r
    WHERE r.slice = wanted.slice AND r.loan_key = ANY (wanted.keys)
) r
