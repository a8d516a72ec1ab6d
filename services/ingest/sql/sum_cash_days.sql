-- Cash by effective day as known now. $1: book key.
SELECT book_key, currency_key, branch_key, product_key, effective_on,
       ARRAY[sum(due_minor), sum(due_count), sum(current_minor), sum(arrears_minor), sum(advance_minor),
             sum(due_collected_minor), sum(on_time_count)]::bigint[] AS measures
FROM core.cash_day
WHERE book_key = $1
GROUP BY 1, 2, 3, 4, 5
