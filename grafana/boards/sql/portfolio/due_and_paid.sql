WITH cash AS (SELECT day, due, cash FROM cash_days(@part, ${days:sqlstring}::int + 30, 0))
SELECT (extract(epoch FROM c.day) * 1000)::bigint AS "day", c.due AS "Due", c.cash AS "Cash",
       before.cash AS "Cash a month before"
FROM cash c
LEFT JOIN cash before ON before.day = (c.day - interval '1 month')::date
WHERE c.day > (SELECT business_on - ${days:sqlstring}::int FROM books WHERE @book)
ORDER BY c.day
