-- Days past due of some loans on the days their episodes began, as restated now: a reversal or a payment dated before
-- may have taken the reason away. Money of the day itself does not count, since the reason held before it came.
-- $1 slices, $2 loan keys, $3 the days.
SELECT asked.loan_key, coalesce(asked.on_date - min(i.due_on), 0) AS days_past_due
FROM unnest($1::smallint[], $2::bigint[], $3::date[]) AS asked (slice, loan_key, on_date)
JOIN core.installment_plan p ON p.slice = asked.slice AND p.loan_key = asked.loan_key
LEFT JOIN LATERAL unnest(p.due_on, p.met_on) AS i (due_on, met_on)
    ON i.due_on < asked.on_date AND (i.met_on IS NULL OR i.met_on >= asked.on_date)
GROUP BY asked.slice, asked.loan_key, asked.on_date
