-- What lists filter and sort a slice's loans by: a column each as an array in binary form, in the order of loan ids.
-- No value is the lowest number of its type; a day is counted from 2000-01-01; a probability is given as it is, -1 for none.
-- $1: book key; $2: slice.
SELECT convert_to(coalesce(string_agg(replace(x.loan_id, E'\n', ' '), E'\n'), ''), 'UTF8') AS loan_id,
       array_send(array_agg(x.slice)) AS slice, array_send(array_agg(x.loan_key)) AS loan_key,
       array_send(array_agg(x.currency_key)) AS currency_key, array_send(array_agg(x.branch_key)) AS branch_key,
       array_send(array_agg(x.product_key)) AS product_key, array_send(array_agg(x.status)) AS status,
       array_send(array_agg(x.bucket)) AS bucket, array_send(array_agg(x.band)) AS band,
       array_send(array_agg(x.past_due_on)) AS past_due_on, array_send(array_agg(x.disbursed_on)) AS disbursed_on,
       array_send(array_agg(x.next_due_on)) AS next_due_on, array_send(array_agg(x.last_payment_on)) AS last_payment_on,
       array_send(array_agg(x.disbursed_minor)) AS disbursed, array_send(array_agg(x.paid_minor)) AS paid,
       array_send(array_agg(x.principal_outstanding_minor)) AS principal_outstanding,
       array_send(array_agg(x.total_outstanding_minor)) AS total_outstanding,
       array_send(array_agg(x.overdue_minor)) AS overdue, array_send(array_agg(x.risk_score)) AS risk_score,
       array_send(array_agg(x.default_probability)) AS default_probability,
       array_send(array_agg(x.expected_loss)) AS expected_loss
FROM (
    SELECT l.loan_id, s.slice, s.loan_key, s.currency_key, s.branch_key, s.product_key,
           CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END::smallint AS status, s.bucket,
           coalesce(r.band, (-32768)::smallint) AS band,
           coalesce(s.past_due_on - date '2000-01-01', (-2147483648)::integer) AS past_due_on,
           coalesce(l.disbursed_on - date '2000-01-01', (-2147483648)::integer) AS disbursed_on,
           coalesce(s.next_due_on - date '2000-01-01', (-2147483648)::integer) AS next_due_on,
           coalesce(s.last_payment_on - date '2000-01-01', (-2147483648)::integer) AS last_payment_on,
           s.disbursed_minor, s.paid_minor, s.principal_outstanding_minor, s.total_outstanding_minor, s.overdue_minor,
           coalesce(r.risk_score, (-32768)::smallint) AS risk_score, coalesce(r.default_probability, -1) AS default_probability,
           coalesce(r.expected_loss_minor, (-9223372036854775808)::bigint) AS expected_loss
    FROM core.loan_state s
    JOIN core.loan l ON l.slice = s.slice AND l.loan_key = s.loan_key
    LEFT JOIN risk.score r ON r.slice = s.slice AND r.loan_key = s.loan_key
    WHERE s.slice = $2 AND s.book_key = $1
    ORDER BY l.loan_id
) x
