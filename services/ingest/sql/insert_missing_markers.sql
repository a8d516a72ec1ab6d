-- Leave word of a closed day for the slices whose logs have no marker of it yet.
-- $1: book, $2: the day, $3: topic, $4: the marker's bytes.
INSERT INTO core.outbox (slice, topic, partition, payload)
SELECT numbers.slice, $3, numbers.slice, $4
FROM core.book b, generate_series(0, 15) AS numbers (slice)
WHERE b.book = $1 AND NOT EXISTS (
    SELECT 1 FROM core.day_reached r
    WHERE r.book_key = b.book_key AND r.slice = numbers.slice AND r.business_on >= $2
)
