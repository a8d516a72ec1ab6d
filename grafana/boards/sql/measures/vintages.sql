SELECT to_char(c.cohort_on, 'YYYY-MM') AS "Cohort", c.loans AS "Loans",
       CASE WHEN c.months >= 1 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 1), 0) / c.loans END AS "1",
       CASE WHEN c.months >= 2 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 2), 0) / c.loans END AS "2",
       CASE WHEN c.months >= 3 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 3), 0) / c.loans END AS "3",
       CASE WHEN c.months >= 4 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 4), 0) / c.loans END AS "4",
       CASE WHEN c.months >= 5 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 5), 0) / c.loans END AS "5",
       CASE WHEN c.months >= 6 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 6), 0) / c.loans END AS "6",
       CASE WHEN c.months >= 7 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 7), 0) / c.loans END AS "7",
       CASE WHEN c.months >= 8 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 8), 0) / c.loans END AS "8",
       CASE WHEN c.months >= 9 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 9), 0) / c.loans END AS "9",
       CASE WHEN c.months >= 10 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 10), 0) / c.loans END AS "10",
       CASE WHEN c.months >= 11 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 11), 0) / c.loans END AS "11",
       CASE WHEN c.months >= 12 THEN coalesce(sum(v.loans) FILTER (WHERE v.age <= 12), 0) / c.loans END AS "12"
FROM (
    SELECT cohort_on, sum(loans) AS loans, extract(year FROM age(max(closed_on), max(youngest_on))) * 12
           + extract(month FROM age(max(closed_on), max(youngest_on))) AS months
    FROM vintage_cohort
    WHERE @selection AND NOT by_week
      AND cohort_on >= (SELECT (date_trunc('month', business_on) - interval '13 months')::date FROM books WHERE @book)
    GROUP BY cohort_on
) c
LEFT JOIN (
    SELECT cohort_on, age, sum(loans) AS loans
    FROM vintage_late
    WHERE @selection AND NOT by_week AND over_days = 30 AND age <= 12
    GROUP BY cohort_on, age
) v USING (cohort_on)
GROUP BY c.cohort_on, c.loans, c.months ORDER BY c.cohort_on
