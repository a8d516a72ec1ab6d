-- The first and the last day that the book's closes speak of. $1: book key.
SELECT min(d.business_on) AS first_on, max(d.business_on) AS last_on
FROM generate_series(0, 15) AS n (slice)
JOIN core.book_day d ON d.slice = n.slice AND d.book_key = $1
