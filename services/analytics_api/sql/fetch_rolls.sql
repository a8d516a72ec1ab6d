-- How loans moved between the closes of some months, as far as they have been counted, by bucket and place;
-- a pair of closes without a loan has one row, and no bucket.
-- $1: book key; $2: currency key; $3: the first day; $4: the last.
SELECT k.opening_on, k.closing_on, m.bucket, m.place, m.loans, m.principal_minor
FROM reporting.roll_mark k
LEFT JOIN reporting.roll_mart m
       ON m.book_key = k.book_key AND m.opening_on = k.opening_on AND m.closing_on = k.closing_on AND m.currency_key = $2
WHERE k.book_key = $1 AND k.closing_on BETWEEN $3::date AND $4::date
ORDER BY k.closing_on
