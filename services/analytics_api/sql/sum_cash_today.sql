-- What falls due on a day and what has come in for it so far, from the live roll-up.
-- $1: book key; $2: currency key; $3, $4, $5: regions, branches, products, or null for all; $6: the day.
SELECT coalesce(sum(c.due_minor), 0)::bigint AS due_minor, coalesce(sum(c.due_count), 0)::bigint AS installments,
       coalesce(sum(c.due_collected_minor), 0)::bigint AS collected_minor,
       coalesce(sum(c.current_minor + c.arrears_minor + c.advance_minor), 0)::bigint AS cash_minor
FROM core.cash_day c
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
WHERE c.book_key = $1 AND c.currency_key = $2 AND c.effective_on = $6::date
  AND ($3::text[] IS NULL OR coalesce(br.region, 'unknown') = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(br.branch, 'unknown') = ANY ($4))
  AND ($5::text[] IS NULL OR coalesce(p.product, 'unknown') = ANY ($5))
