-- Empty the table of risk bands; it is filled again in the same transaction.
DELETE FROM reporting.risk_mart
