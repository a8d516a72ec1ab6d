-- Empty the table of stale loans; it is filled again in the same transaction.
DELETE FROM reporting.stale_mart
