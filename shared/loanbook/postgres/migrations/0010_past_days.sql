-- Marks closed days that were told anew, and finds upstream's own statements about loans.

CREATE INDEX event_snapshot ON core.event (slice, loan_key, effective_on) WHERE type_key = 17;

-- As before, with the mark: a day told anew since its close, and the business day on which what changed it last came.
CREATE OR REPLACE VIEW reporting.portfolio_day AS
SELECT b.book, c.code AS currency, d.business_on, d.live, coalesce(br.region, 'unknown') AS region,
       coalesce(br.branch, 'unknown') AS branch, coalesce(p.product, 'unknown') AS product, d.loans::bigint AS loans,
       reporting.major(d.disbursed_minor, c.exponent) AS disbursed,
       reporting.major(d.paid_minor, c.exponent) AS paid,
       reporting.major(d.principal_minor, c.exponent) AS principal,
       reporting.major(d.overdue_minor, c.exponent) AS overdue,
       reporting.major(d.par0_minor, c.exponent) AS par0_principal,
       reporting.major(d.par30_minor, c.exponent) AS par30_principal,
       reporting.major(d.par60_minor, c.exponent) AS par60_principal,
       reporting.major(d.par90_minor, c.exponent) AS par90_principal,
       r.known_on IS NOT NULL AS restated, r.known_on AS restated_known_on
FROM (
    SELECT book_key, currency_key, branch_key, product_key, business_on, false AS live, loans, disbursed_minor,
           paid_minor, principal_minor, overdue_minor, par0_minor, par30_minor, par60_minor, par90_minor
    FROM reporting.portfolio_day_mart
    UNION ALL
    SELECT day.book_key, day.currency_key, day.branch_key, day.product_key, day.business_on, false, day.loans,
           day.disbursed_minor, day.paid_minor, day.principal_minor, day.overdue_minor, day.par0_minor, day.par30_minor,
           day.par60_minor, day.par90_minor
    FROM core.book k
    CROSS JOIN LATERAL (
        SELECT coalesce(max(m.business_on), '-infinity') AS business_on
        FROM reporting.portfolio_day_mart m WHERE m.book_key = k.book_key
    ) last
    CROSS JOIN LATERAL (
        SELECT d.book_key, d.currency_key, d.branch_key, d.product_key, d.business_on, coalesce(sum(d.loans) FILTER (WHERE d.status = 1), 0) AS loans,
           sum(d.disbursed_minor) AS disbursed_minor, sum(d.paid_minor) AS paid_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1), 0) AS principal_minor,
           coalesce(sum(d.overdue_minor) FILTER (WHERE d.status = 1), 0) AS overdue_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 1), 0) AS par0_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 2), 0) AS par30_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 3), 0) AS par60_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 4), 0) AS par90_minor
        FROM core.book_day d
        WHERE d.book_key = k.book_key AND d.business_on > last.business_on
        GROUP BY d.book_key, d.currency_key, d.branch_key, d.product_key, d.business_on
    ) day
    UNION ALL
    SELECT d.book_key, d.currency_key, d.branch_key, d.product_key, k.business_on, true, coalesce(sum(d.loans) FILTER (WHERE d.status = 1), 0) AS loans,
           sum(d.disbursed_minor) AS disbursed_minor, sum(d.paid_minor) AS paid_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1), 0) AS principal_minor,
           coalesce(sum(d.overdue_minor) FILTER (WHERE d.status = 1), 0) AS overdue_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 1), 0) AS par0_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 2), 0) AS par30_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 3), 0) AS par60_minor,
           coalesce(sum(d.principal_minor) FILTER (WHERE d.status = 1 AND d.bucket >= 4), 0) AS par90_minor
    FROM core.book_now d JOIN core.book k USING (book_key)
    GROUP BY d.book_key, d.currency_key, d.branch_key, d.product_key, k.business_on
) d
JOIN core.book b USING (book_key)
JOIN core.currency c USING (currency_key)
LEFT JOIN core.branch br USING (branch_key)
LEFT JOIN core.product p USING (product_key)
LEFT JOIN (
    SELECT book_key, business_on, max(known_on) AS known_on FROM core.restated_day WHERE loans > 0 GROUP BY book_key, business_on
) r ON r.book_key = d.book_key AND r.business_on = d.business_on;
