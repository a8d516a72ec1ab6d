-- Whether a closed day was told anew since, when last, and how many loans are still to be told.
-- $1: book key; $2: the day; $3: known until this day, or null for all that is known now.
SELECT (SELECT max(d.known_on) FROM core.restated_day d
        WHERE d.book_key = $1 AND d.business_on = $2 AND d.loans > 0 AND ($3::date IS NULL OR d.known_on <= $3)) AS restated_known_on,
       (SELECT count(DISTINCT (r.slice, r.loan_key)) FROM core.restate r JOIN core.loan l USING (slice, loan_key)
        WHERE l.book_key = $1 AND r.from_on <= $2 AND ($3::date IS NULL OR r.known_on <= $3))::integer AS restating_loans
