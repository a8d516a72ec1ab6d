SELECT stage AS "Stage", sum(loans) AS "Loans", sum(principal) AS "Principal",
       sum(principal) / nullif(sum(sum(principal)) OVER (), 0) AS "Share", sum(exposure) AS "Exposure", sum(provision) AS "Set aside"
FROM stage_now
WHERE @selection
GROUP BY stage ORDER BY stage
