-- What a message about a loan says beside its episode, and when the posting cut-off of the next business day is.
-- $1 slices, $2 loan keys, $3 the cut-off, as a time of day of the book.
SELECT l.loan_key, l.loan_id, b.book, now() AS at, coalesce(c.code, b.default_currency) AS currency, br.branch,
       s.past_due_on, s.overdue_minor, s.principal_outstanding_minor,
       (b.business_on + 1 + $3::time) AT TIME ZONE b.timezone AS cut_off_at,
       r.default_probability, r.risk_score, r.band, r.model, r.state_version, r.reasons
FROM unnest($1::smallint[], $2::bigint[]) AS asked (slice, loan_key)
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s ON s.slice = l.slice AND s.loan_key = l.loan_key
JOIN core.book b ON b.book_key = l.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
LEFT JOIN core.branch br ON br.branch_key = s.branch_key
LEFT JOIN risk.score r ON r.slice = l.slice AND r.loan_key = l.loan_key
