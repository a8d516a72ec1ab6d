-- How many messages are neither delivered nor given up.
SELECT count(*) FROM risk.delivery WHERE delivered_at IS NULL AND dead_at IS NULL
