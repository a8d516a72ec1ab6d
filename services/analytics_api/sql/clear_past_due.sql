-- Empty the table of arrears; it is filled again in the same transaction.
DELETE FROM reporting.past_due_mart
