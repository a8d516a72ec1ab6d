-- Empty the sums of statements; they are filled again in the same transaction.
DELETE FROM reporting.reconciliation_mart
