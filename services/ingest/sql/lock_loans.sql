-- Lock the states of loans in key order; a row a slice: of its loans the numbers as locked.py reads them, days as ordinals,
-- 0 for none, their days_late, and the ids that facts of some of them undo. $1: slices, $2: loan keys.
SELECT wanted.slice, locked.numbers, locked.days_late, locked.named_ids
FROM (
    -- All keys of a slice at once: one walk through one index, in its order, instead of a search in every part for each.
    SELECT slice, array_agg(loan_key) AS keys
    FROM unnest($1::smallint[], $2::bigint[]) AS t (slice, loan_key)
    GROUP BY slice
    ORDER BY slice
) wanted
CROSS JOIN LATERAL (
    -- One value for all: a row for each loan costs both sides more than what is in it.
    SELECT string_agg(s.numbers, '') AS numbers, string_agg(s.days_late, '') AS days_late,
           json_object_agg(s.loan_key, s.named_ids) FILTER (WHERE s.named_ids IS NOT NULL) AS named_ids
    FROM (
        SELECT s.loan_key, s.named_ids, array_send(s.days_late) AS days_late,
               array_send(ARRAY[
                   s.slice, s.loan_key, s.version, s.terms_version, s.as_of - date '0001-01-01' + 1, (s.quarantine IS NOT NULL)::integer,
                   s.is_plain::integer, s.fold_version, s.book_key,
                   s.currency_key, s.branch_key, s.product_key, s.bucket, s.status, (s.charged_off_on IS NOT NULL)::integer, s.estimated::integer,
                   s.disbursed_minor, s.scheduled_minor, s.paid_minor, s.principal_outstanding_minor,
                   s.total_outstanding_minor, s.overdue_minor, s.overdue_principal_minor, s.overpaid_minor,
                   s.last_payment_minor, coalesce(s.past_due_on - date '0001-01-01' + 1, 0),
                   coalesce(s.cohort_on - date '0001-01-01' + 1, 0), coalesce(s.last_payment_on - date '0001-01-01' + 1, 0),
                   coalesce(s.closed_on - date '0001-01-01' + 1, 0),
                   cardinality(s.days_late), coalesce(s.last_effective_on - date '0001-01-01' + 1, 0),
                   coalesce(s.last_business_on - date '0001-01-01' + 1, 0), s.last_sequence
               ]::bigint[]) || timestamptz_send(coalesce(s.last_recorded_at, '-infinity')) AS numbers
        FROM core.loan_state s
        WHERE s.slice = wanted.slice AND s.loan_key = ANY (wanted.keys)
        ORDER BY s.loan_key
        FOR UPDATE
    ) s
) locked
ORDER BY wanted.slice
