-- Keep what comparisons found. $1: when; $2, $3, $4: slices, loan keys, event ids of the statements;
-- $5 to $8: upstream's status, principal, overdue, days past due; $9 to $12: ours; $13: what differs, with commas between.
UPDATE reporting.statement st
SET compared_at = $1, currency_key = s.currency_key, stated_status = c.stated_status, stated_principal_minor = c.stated_principal,
    stated_overdue_minor = c.stated_overdue, stated_days_past_due = c.stated_dpd, our_status = c.our_status,
    our_principal_minor = c.our_principal, our_overdue_minor = c.our_overdue, our_days_past_due = c.our_dpd,
    differs_in = string_to_array(c.differs_in, ',')
FROM unnest($2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::integer[], $9::text[],
            $10::bigint[], $11::bigint[], $12::integer[], $13::text[])
    AS c (slice, loan_key, event_id, stated_status, stated_principal, stated_overdue, stated_dpd, our_status, our_principal,
          our_overdue, our_dpd, differs_in)
JOIN core.loan_state s USING (slice, loan_key)
WHERE st.slice = c.slice AND st.loan_key = c.loan_key AND st.event_id = c.event_id
