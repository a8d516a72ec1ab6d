-- How many loans of a book upstream has confirmed, how old its latest statements are, and the running loans without any.
-- $1: book key; $2: the business day; $3: a statement older than so many days is stale.
WITH latest AS (
    SELECT e.slice, e.loan_key, max(e.effective_on) AS effective_on
    FROM core.event e
    JOIN core.loan l USING (slice, loan_key)
    LEFT JOIN core.authority a ON a.book_key = $1 AND a.type_key = 17
    WHERE e.type_key = 17 AND l.book_key = $1 AND e.effective_on <= $2::date
      AND (a.source_key IS NULL OR a.source_key = e.source_key)
    GROUP BY e.slice, e.loan_key
)
SELECT count(*)::bigint AS loans, min(effective_on) AS oldest_on, max(effective_on) AS newest_on,
       count(*) FILTER (WHERE s.status IN (1, 2) AND $2::date - effective_on > $3::integer)::bigint AS stale,
       (SELECT coalesce(sum(n.loans), 0) FROM core.book_now n WHERE n.book_key = $1 AND n.status IN (1, 2, 6))::bigint
           - count(*) FILTER (WHERE s.status IN (1, 2)) AS never_confirmed
FROM latest
JOIN core.loan_state s USING (slice, loan_key)
