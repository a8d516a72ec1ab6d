WITH today AS (SELECT business_on FROM books WHERE @book),
cash AS (
    SELECT day, sum(due) AS due, sum(due_collected) AS collected, sum(cash) AS cash
    FROM cash_day_now
    WHERE @selection AND day <= (SELECT business_on FROM today)
      AND day > (SELECT business_on - ${days:sqlstring}::int - 31 FROM today)
    GROUP BY day
)
SELECT (extract(epoch FROM c.day) * 1000)::bigint AS "day", c.due AS "Due", c.cash AS "Cash",
       before.cash AS "Cash a month before"
FROM cash c
LEFT JOIN cash before ON before.day = (c.day - interval '1 month')::date
WHERE c.day > (SELECT business_on - ${days:sqlstring}::int FROM today)
ORDER BY c.day
