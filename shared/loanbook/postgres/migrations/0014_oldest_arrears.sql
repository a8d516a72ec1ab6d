-- Finds the active loans that are longest past due without a look at all the others.

-- An update that leaves a loan's lateness and status alone stays in its page as before.
CREATE INDEX loan_state_past_due ON core.loan_state (book_key, past_due_on)
    WHERE past_due_on IS NOT NULL AND status = 1 AND charged_off_on IS NULL;
