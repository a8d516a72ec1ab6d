SELECT product AS "Product",
       sum(principal) FILTER (WHERE bucket_order = 0) / nullif(sum(principal), 0) AS "current",
       coalesce(sum(principal) FILTER (WHERE bucket_order = 1) / nullif(sum(principal), 0), 0) AS "1-30",
       coalesce(sum(principal) FILTER (WHERE bucket_order = 2) / nullif(sum(principal), 0), 0) AS "31-60",
       coalesce(sum(principal) FILTER (WHERE bucket_order = 3) / nullif(sum(principal), 0), 0) AS "61-90",
       coalesce(sum(principal) FILTER (WHERE bucket_order = 4) / nullif(sum(principal), 0), 0) AS "91+"
FROM portfolio_part(@part) WHERE counts
GROUP BY product ORDER BY product
