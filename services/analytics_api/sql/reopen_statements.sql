-- Have statements compared again for whose loan an event came since a moment that upstream had booked by then.
-- $1: the moment.
UPDATE reporting.statement st
SET compared_at = NULL
FROM core.event e
WHERE e.ingested_at >= $1 AND e.slice = st.slice AND e.loan_key = st.loan_key AND e.business_on <= st.booked_on
  AND st.compared_at IS NOT NULL
