-- Every loan of a book as it stood at some closes, in one pass over the daily history: what measures between closes read.

-- As known now. An entry of a history holds from its day until the first day that a later telling speaks of.
-- Status as in core.book_now: 6 is active and charged off.
CREATE FUNCTION core.loans_at(of_book smallint, closes date[])
RETURNS TABLE (
    business_on date, slice smallint, loan_key bigint, currency_key smallint, branch_key integer, product_key integer,
    bucket smallint, status smallint, past_due_on date, disbursed_minor bigint, principal_minor bigint,
    outstanding_minor bigint, overdue_minor bigint, overdue_principal_minor bigint
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH told AS (
        SELECT d.slice, d.loan_key, d.on_date, d.known_on, d.currency_key, d.branch_key, d.product_key, d.bucket, d.status,
               d.past_due_on, d.disbursed_minor, d.principal_minor, d.outstanding_minor, d.overdue_minor,
               d.overdue_principal_minor
        FROM core.loan_day d
        WHERE d.book_key = of_book
        UNION ALL
        SELECT s.slice, s.loan_key, s.as_of, s.as_of, s.currency_key, s.branch_key, s.product_key, s.bucket,
               CASE WHEN s.status = 1 AND s.charged_off_on IS NOT NULL THEN 6 ELSE s.status END::smallint,
               s.past_due_on, s.disbursed_minor, s.principal_outstanding_minor, s.total_outstanding_minor,
               s.overdue_minor, s.overdue_principal_minor
        FROM core.loan_state s
        WHERE s.book_key = of_book
    ), spans AS (
        SELECT *, min(on_date) OVER (PARTITION BY slice, loan_key ORDER BY known_on DESC, on_date DESC
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
        FROM told
    )
    SELECT c.day, s.slice, s.loan_key, s.currency_key, s.branch_key, s.product_key, s.bucket, s.status,
           s.past_due_on, s.disbursed_minor, s.principal_minor, s.outstanding_minor, s.overdue_minor,
           s.overdue_principal_minor
    FROM spans s
    JOIN unnest(closes) AS c (day) ON s.on_date <= c.day AND (s.until IS NULL OR s.until > c.day)
$$;
