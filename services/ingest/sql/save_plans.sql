-- Take the staged plans over.
INSERT INTO core.loan_plan SELECT * FROM stage_plan
ON CONFLICT (slice, loan_key) DO UPDATE
SET schedule_version = excluded.schedule_version, due_on = excluded.due_on, kind = excluded.kind, met_on = excluded.met_on,
    principal_due = excluded.principal_due, interest_due = excluded.interest_due,
    fee_due = excluded.fee_due, penalty_due = excluded.penalty_due,
    principal_paid = excluded.principal_paid, interest_paid = excluded.interest_paid,
    fee_paid = excluded.fee_paid, penalty_paid = excluded.penalty_paid, waived = excluded.waived
