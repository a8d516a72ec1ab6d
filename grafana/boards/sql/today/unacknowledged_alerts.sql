SELECT count(*) AS "Not yet acknowledged"
FROM alerts_now
WHERE book = ${book:sqlstring} AND region IN (${region:sqlstring}) AND branch IN (${branch:sqlstring})
  AND state = 'open' AND NOT baseline AND severity_order >= 1
