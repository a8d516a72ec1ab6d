-- The database's clock, by which events say when they were taken in.
SELECT now()
