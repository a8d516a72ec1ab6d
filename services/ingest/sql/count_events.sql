-- Rows of the ledger by the partition they came from. No parameters.
SELECT kafka_partition AS partition, count(*) AS events FROM core.event GROUP BY 1
