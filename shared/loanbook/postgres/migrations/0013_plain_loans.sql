-- Plain loans: what a payment changes is a few columns of the state; the plan stays as the schedule made it.

-- A loan is plain while its state follows from its schedule, from what was paid in all and from the days on
-- which installments were met (loanbook.domain.plainness).
ALTER TABLE core.loan_state
    ADD COLUMN is_plain boolean NOT NULL DEFAULT false,
    ADD COLUMN days_late smallint[] NOT NULL DEFAULT '{}',  -- plain loans: of the installments met, oldest first; early ones are negative
    ADD COLUMN last_business_on date,               -- with last_effective_on, last_sequence, last_recorded_at: is an event later than all?
    ADD COLUMN last_sequence bigint NOT NULL DEFAULT 0,
    ADD COLUMN named_ids text[],                    -- ids that facts of the loan undo: what bears one does not simply count
    DROP COLUMN last_event_id;

ALTER TABLE core.loan_plan ADD COLUMN packed bytea NOT NULL DEFAULT '';  -- plain loans: due days and amounts as plainness.py packs them
ALTER TABLE core.event DROP COLUMN digest;          -- the data itself is compared

DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('ALTER TABLE core.loan_plan_%s ALTER COLUMN packed SET STORAGE EXTERNAL', n);
        EXECUTE format('ALTER TABLE core.loan_plan_%s SET (toast_tuple_target = 4096)', n);
    END LOOP;
END $$;

-- Every loan's installments with what is paid of them. For a plain loan that is worked out: its payments went to
-- the oldest installment first, there to penalty, fee, interest and principal. An array of nothing but zeros is empty.
CREATE VIEW core.installment_plan AS
SELECT p.slice, p.loan_key, p.schedule_version, p.due_on, p.kind,
       CASE WHEN s.is_plain THEN w.met_on ELSE p.met_on END AS met_on,
       p.principal_due, p.interest_due, p.fee_due, p.penalty_due,
       CASE WHEN s.is_plain THEN w.principal_paid ELSE p.principal_paid END AS principal_paid,
       CASE WHEN s.is_plain THEN w.interest_paid ELSE p.interest_paid END AS interest_paid,
       CASE WHEN s.is_plain THEN w.fee_paid ELSE p.fee_paid END AS fee_paid,
       CASE WHEN s.is_plain THEN w.penalty_paid ELSE p.penalty_paid END AS penalty_paid,
       p.waived
FROM core.loan_plan p
JOIN core.loan_state s USING (slice, loan_key)
LEFT JOIN LATERAL (
    SELECT array_agg(i.met_on ORDER BY i.number) AS met_on,
           CASE WHEN sum(principal_paid) > 0 THEN array_agg(principal_paid ORDER BY i.number) ELSE '{}' END AS principal_paid,
           CASE WHEN sum(interest_paid) > 0 THEN array_agg(interest_paid ORDER BY i.number) ELSE '{}' END AS interest_paid,
           CASE WHEN sum(fee_paid) > 0 THEN array_agg(fee_paid ORDER BY i.number) ELSE '{}' END AS fee_paid,
           CASE WHEN sum(penalty_paid) > 0 THEN array_agg(penalty_paid ORDER BY i.number) ELSE '{}' END AS penalty_paid
    FROM (
        SELECT d.number, d.met_on, c.penalty_paid, c.fee_paid, c.interest_paid,
               d.paid - c.penalty_paid - c.fee_paid - c.interest_paid AS principal_paid
        FROM (
            SELECT u.number, u.due_on + s.days_late[u.number]::integer AS met_on,
                   coalesce(u.penalty, 0) AS penalty, coalesce(u.fee, 0) AS fee, coalesce(u.interest, 0) AS interest,
                   greatest(0, least(t.due, sum(t.due) OVER () - s.total_outstanding_minor - sum(t.due) OVER earlier + t.due))::bigint AS paid
            FROM unnest(p.due_on, p.principal_due, p.interest_due, p.fee_due, p.penalty_due)
                 WITH ORDINALITY AS u (due_on, principal, interest, fee, penalty, number)
            CROSS JOIN LATERAL (
                SELECT coalesce(u.principal, 0) + coalesce(u.interest, 0) + coalesce(u.fee, 0) + coalesce(u.penalty, 0) AS due
            ) t
            WINDOW earlier AS (ORDER BY u.number)
        ) d
        CROSS JOIN LATERAL (SELECT least(d.paid, d.penalty) AS penalty_paid) e
        CROSS JOIN LATERAL (SELECT least(d.paid - e.penalty_paid, d.fee) AS fee_paid) f
        CROSS JOIN LATERAL (
            SELECT e.penalty_paid, f.fee_paid, least(d.paid - e.penalty_paid - f.fee_paid, d.interest) AS interest_paid
        ) c
    ) i
) w ON s.is_plain;

GRANT SELECT ON core.installment_plan TO ingest_writer, scoring_writer, mart_writer, analytics_reader;

-- As before, from the view.
CREATE OR REPLACE VIEW reporting.installments AS
SELECT b.book, l.loan_id, c.code AS currency, i.number, i.kind, i.due_on, i.met_on,
       reporting.major(i.principal_due, c.exponent) AS principal_due,
       reporting.major(i.interest_due, c.exponent) AS interest_due,
       reporting.major(i.fee_due, c.exponent) AS fee_due,
       reporting.major(i.penalty_due, c.exponent) AS penalty_due,
       reporting.major(i.due, c.exponent) AS due,
       reporting.major(i.paid, c.exponent) AS paid,
       reporting.major(i.waived, c.exponent) AS waived,
       reporting.major(i.due - i.paid - i.waived, c.exponent) AS outstanding,
       CASE WHEN i.met_on IS NOT NULL AND i.met_on > i.due_on THEN 'paid late'
            WHEN i.met_on IS NOT NULL THEN 'paid'
            WHEN i.due_on < b.business_on AND i.paid > 0 THEN 'overdue, partial'
            WHEN i.due_on < b.business_on THEN 'overdue'
            WHEN i.due_on = b.business_on THEN 'due'
            WHEN i.paid > 0 THEN 'upcoming, partial'
            ELSE 'upcoming' END AS state,
       CASE WHEN i.met_on IS NOT NULL THEN greatest(i.met_on - i.due_on, 0)
            ELSE greatest(b.business_on - i.due_on, 0) END AS days_late
FROM core.installment_plan plan
JOIN core.loan l USING (slice, loan_key)
JOIN core.loan_state s USING (slice, loan_key)
JOIN core.book b ON b.book_key = l.book_key
LEFT JOIN core.currency c ON c.currency_key = s.currency_key
CROSS JOIN LATERAL (
    SELECT u.number, u.kind, u.due_on, u.met_on, p.*,
           p.principal_due + p.interest_due + p.fee_due + p.penalty_due AS due, p.paid_parts AS paid
    FROM unnest(plan.kind, plan.due_on, plan.met_on, plan.principal_due, plan.interest_due, plan.fee_due,
                plan.penalty_due, plan.principal_paid, plan.interest_paid, plan.fee_paid, plan.penalty_paid,
                plan.waived)
         WITH ORDINALITY
         AS u(kind, due_on, met_on, principal_due, interest_due, fee_due, penalty_due,
              principal_paid, interest_paid, fee_paid, penalty_paid, waived, number)
    CROSS JOIN LATERAL (
        SELECT coalesce(u.principal_due, 0) AS principal_due, coalesce(u.interest_due, 0) AS interest_due,
               coalesce(u.fee_due, 0) AS fee_due, coalesce(u.penalty_due, 0) AS penalty_due,
               coalesce(u.principal_paid, 0) + coalesce(u.interest_paid, 0) + coalesce(u.fee_paid, 0)
               + coalesce(u.penalty_paid, 0) AS paid_parts,
               coalesce(u.waived, 0) AS waived
    ) p                                             -- an array of nothing but zeros is stored empty
) i;
