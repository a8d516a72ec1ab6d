SELECT s.name AS "State", sum(s.loans)::bigint AS "Loans", sum(s.loans) / nullif(sum(sum(s.loans)) OVER (), 0) AS "Share",
       sum(s.disbursed) AS "Disbursed", sum(s.principal) AS "Outstanding"
FROM (
    SELECT CASE WHEN status = 'active' AND bucket_order = 0 THEN 'active, current'
                WHEN status = 'active' AND bucket_order < 4 THEN 'underperforming (DPD 1-90)'
                WHEN status = 'active' THEN 'in default (DPD 91+)'
                WHEN status IN ('closed', 'overpaid') THEN 'fully repaid'
                ELSE replace(status, '_', ' ') END AS name,
           loans, disbursed, principal
    FROM portfolio_part(@part)
    WHERE status NOT IN ('pending', 'cancelled')
) s
GROUP BY s.name ORDER BY sum(s.loans) DESC
