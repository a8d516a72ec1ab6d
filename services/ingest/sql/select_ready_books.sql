-- Books whose running day every slice's log has closed, while no sweep is open.
SELECT b.book_key
FROM core.book b
WHERE (SELECT count(*) FROM core.day_reached r WHERE r.book_key = b.book_key AND r.business_on >= b.business_on) = 16
  AND NOT EXISTS (SELECT 1 FROM core.day_roll d WHERE d.book_key = b.book_key AND d.swept_at IS NULL)
