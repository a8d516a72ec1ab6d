-- The oldest due date that an active loan was behind with at a day, as known on a day; none when no loan was late.
-- A loan's state holds since its day; before it, the entry of its history that was told last.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all;
-- $6: the day; $7: known until this day, or null for all that is known now; $8: whether the day is the running one.
WITH branches AS (
    SELECT branch_key
    FROM (SELECT branch_key, branch, coalesce(region, 'unknown') AS region FROM core.branch WHERE book_key = $1
          UNION ALL SELECT 0, 'unknown', 'unknown') br
    WHERE ($3::text[] IS NULL OR region = ANY ($3)) AND ($4::text[] IS NULL OR branch = ANY ($4))
), products AS (
    SELECT product_key
    FROM (SELECT product_key, product FROM core.product WHERE book_key = $1 UNION ALL SELECT 0, 'unknown') p
    WHERE $5::text[] IS NULL OR product = ANY ($5)
), standing AS MATERIALIZED (
    SELECT s.past_due_on
    FROM core.loan_state s
    WHERE s.book_key = $1 AND s.currency_key = $2 AND s.past_due_on < $6::date AND s.as_of <= $6::date
      AND s.status = 1 AND s.charged_off_on IS NULL
      AND ($3::text[] IS NULL AND $4::text[] IS NULL OR s.branch_key = ANY (ARRAY(SELECT branch_key FROM branches)))
      AND ($5::text[] IS NULL OR s.product_key = ANY (ARRAY(SELECT product_key FROM products)))
    ORDER BY s.past_due_on
    LIMIT 1
), left_behind AS (
    SELECT d.past_due_on
    FROM core.loan_day d
    WHERE NOT $8::boolean
      AND d.book_key = $1 AND d.currency_key = $2 AND d.status = 1 AND d.on_date <= $6::date
      AND ($7::date IS NULL OR d.known_on <= $7)
      AND d.past_due_on < coalesce((SELECT past_due_on FROM standing), $6::date)
      AND ($3::text[] IS NULL AND $4::text[] IS NULL OR d.branch_key = ANY (ARRAY(SELECT branch_key FROM branches)))
      AND ($5::text[] IS NULL OR d.product_key = ANY (ARRAY(SELECT product_key FROM products)))
      AND NOT EXISTS (
          SELECT 1 FROM core.loan_state s
          WHERE s.slice = d.slice AND s.loan_key = d.loan_key AND s.as_of <= $6::date
      )
      AND NOT EXISTS (
          SELECT 1 FROM core.loan_day later
          WHERE later.slice = d.slice AND later.loan_key = d.loan_key AND later.on_date <= $6::date
            AND ($7::date IS NULL OR later.known_on <= $7)
            AND (later.known_on, later.on_date) > (d.known_on, d.on_date)
      )
    ORDER BY d.past_due_on
    LIMIT 1
)
SELECT least((SELECT past_due_on FROM standing), (SELECT past_due_on FROM left_behind)) AS past_due_on
