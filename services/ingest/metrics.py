"""Every metric of the ingest worker: constants with help, unit and closed label values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "loanpulse_events_total",
    "Records taken from the log, by what became of them.",
    ["outcome"],  # applied, duplicate, conflict, dead
)
LOANS_FOLDED = Counter("loanpulse_loans_folded_total", "Loans whose state was written by a batch.")
BATCH_RECORDS = Histogram(
    "loanpulse_batch_records", "Records in a transaction.", buckets=(1, 10, 100, 1_000, 5_000, 10_000, 20_000)
)
TRANSACTION_SECONDS = Histogram(
    "loanpulse_transaction_seconds",
    "Time of a batch's transaction.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
EVENT_LATENCY_SECONDS = Histogram(
    "loanpulse_event_latency_seconds",
    "From the broker's time of the batch's last record to the commit.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30),
)
GAPS_REFUSED = Counter(
    "loanpulse_gap_refused_total", "Batches refused since records before them were missing."
)
RETRIES = Counter("loanpulse_retries_total", "Transactions tried again after a passing error.")
LAG = Gauge("loanpulse_consumer_lag", "Records not yet applied.", ["topic", "partition"])
CAUGHT_UP_SECONDS = Gauge(
    "loanpulse_caught_up_timestamp_seconds", "When nothing waited last.", ["topic", "partition"]
)
WAITING_RECORDS = Gauge("loanpulse_inbox_records", "Decoded records waiting for a transaction.")
DAYS_CLOSED = Counter("loanpulse_days_closed_total", "Business days closed by this worker's flips.")
LOANS_RESTATED = Counter("loanpulse_loans_restated_total", "Loans whose past days were told anew.")
LOANS_ROLLED = Counter("loanpulse_loans_rolled_total", "Loans brought to a new day by the sweep.")
RELAYED = Counter("loanpulse_outbox_relayed_total", "Outbox rows published.")
PARTITIONS_PAUSED = Counter(
    "loanpulse_partitions_paused_total", "Partitions stopped by the dead-letter breaker."
)
