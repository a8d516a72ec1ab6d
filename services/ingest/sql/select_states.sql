-- Loans as the tables hold them, the plan beside the state. $1: slices, $2: loan keys.
SELECT loan.*
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (slice, loan_key)
CROSS JOIN LATERAL (
    SELECT s.*, s.quarantine IS NOT NULL AS quarantined, s.charged_off_on IS NOT NULL AS charged_off,
           l.loan_id, l.borrower_id, l.disbursed_on, l.annual_rate_bps, l.term_days,
           p.schedule_version, p.due_on, p.kind, p.met_on, p.principal_due, p.interest_due, p.fee_due, p.penalty_due,
           p.principal_paid, p.interest_paid, p.fee_paid, p.penalty_paid, p.waived, l.packed
    FROM core.loan_state s
    JOIN core.loan l USING (slice, loan_key)
    LEFT JOIN core.installment_plan p USING (slice, loan_key)
    WHERE s.slice = wanted.slice AND s.loan_key = wanted.loan_key
    OFFSET 0                                        -- or the planner reads whole tables for so many loans
) loan
ORDER BY slice, loan_key
