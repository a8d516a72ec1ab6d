-- Keep an eye on every book: silent while its history loads, after a change of model, and, at the start of a worker,
-- where loans wait that were never scored. Gives the books with what makes their silence and the day that all their loans
-- have been brought to: what is late is looked for when the roll of a day is done, else most of it was found twice.
-- $1 model, $2 whether the worker has just started.
WITH seen AS (
    SELECT b.book_key, b.replaying,
           b.business_on - (EXISTS (
               SELECT FROM core.day_roll d WHERE d.book_key = b.book_key AND d.swept_at IS NULL
           ))::integer AS business_on,
           b.replaying OR ($2 AND EXISTS (SELECT FROM core.loan_state s WHERE s.book_key = b.book_key)
                              AND NOT EXISTS (SELECT FROM risk.score r WHERE r.book_key = b.book_key)) AS silent
    FROM core.book b
), noted AS (
    INSERT INTO risk.watch AS w (book_key, model, caught_up_at)
    SELECT book_key, $1, CASE WHEN NOT silent THEN now() END FROM seen
    ON CONFLICT (book_key) DO UPDATE SET model = excluded.model, caught_up_at = NULL
        WHERE w.model < excluded.model OR (w.caught_up_at IS NOT NULL AND excluded.caught_up_at IS NULL)
    RETURNING w.book_key, w.caught_up_at
)
SELECT s.book_key, s.business_on, s.replaying,
       CASE WHEN n.book_key IS NULL THEN w.caught_up_at ELSE n.caught_up_at END IS NULL AS silent
FROM seen s
LEFT JOIN noted n USING (book_key)
LEFT JOIN risk.watch w USING (book_key)
