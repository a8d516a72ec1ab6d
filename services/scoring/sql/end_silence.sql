-- The scores of a book have caught up: its alerts speak from now on. Gives how many episodes opened in silence stand.
-- $1 book.
WITH ended AS (
    UPDATE risk.watch SET caught_up_at = now() WHERE book_key = $1 AND caught_up_at IS NULL RETURNING book_key
)
SELECT b.book, b.business_on, now() AS at, e.severity, count(e.episode_id) AS episodes
FROM ended
JOIN core.book b USING (book_key)
LEFT JOIN risk.alert_episode e
    ON e.book_key = b.book_key AND e.baseline AND e.state NOT IN ('resolved', 'withdrawn')
GROUP BY b.book, b.business_on, e.severity
