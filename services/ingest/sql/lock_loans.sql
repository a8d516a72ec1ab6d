-- Lock the states of loans in key order; the numbers as locked.py reads them, days as ordinals, 0 for none.
-- $1: slices, $2: loan keys.
SELECT s.loan_key, s.terms_version, s.named_ids, s.numbers, s.days_late
FROM (
    -- All keys of a slice at once: one walk through one index, in its order, instead of a search in every part for each.
    SELECT slice, array_agg(loan_key) AS keys
    FROM unnest($1::smallint[], $2::bigint[]) AS t (slice, loan_key)
    GROUP BY slice
    ORDER BY slice
) wanted
CROSS JOIN LATERAL (
    SELECT s.slice, s.loan_key, s.terms_version, s.named_ids,
           array_send(ARRAY[
               s.slice, s.loan_key, s.version, s.as_of - date '0001-01-01' + 1, (s.quarantine IS NOT NULL)::integer,
               s.is_plain::integer, s.fold_version, s.book_key,
               s.currency_key, s.branch_key, s.product_key, s.bucket, s.status, (s.charged_off_on IS NOT NULL)::integer, s.estimated::integer,
               s.disbursed_minor, s.scheduled_minor, s.paid_minor, s.principal_outstanding_minor,
               s.total_outstanding_minor, s.overdue_minor, s.overdue_principal_minor, s.overpaid_minor,
               s.last_payment_minor, coalesce(s.past_due_on - date '0001-01-01' + 1, 0),
               coalesce(s.cohort_on - date '0001-01-01' + 1, 0), coalesce(s.last_payment_on - date '0001-01-01' + 1, 0),
               coalesce(s.closed_on - date '0001-01-01' + 1, 0),
               cardinality(s.days_late), coalesce(s.last_effective_on - date '0001-01-01' + 1, 0),
               coalesce(s.last_business_on - date '0001-01-01' + 1, 0), s.last_sequence
           ]::bigint[]) || timestamptz_send(coalesce(s.last_recorded_at, '-infinity')) AS numbers,
           CASE WHEN s.is_plain THEN array_send(s.days_late) END AS days_late
    FROM core.loan_state s
    WHERE s.slice = wanted.slice AND s.loan_key = ANY (wanted.keys)
    ORDER BY s.loan_key
    FOR UPDATE
) s
ORDER BY s.slice, s.loan_key  -- they are in order; but sorted they come at once, and not in hundreds of small parts
