"""Every metric of the scoring worker: constants with help, unit and closed label values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SCORED = Counter("loanpulse_loans_scored_total", "Scores written.")
SCORE_LATENCY_SECONDS = Histogram(
    "loanpulse_score_latency_seconds",
    "From the commit of an event to the commit of the score it moved.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30),
)
SCORE_TRANSACTION_SECONDS = Histogram(
    "loanpulse_score_transaction_seconds",
    "Time of one scoring transaction.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
BACKLOG = Gauge("loanpulse_score_backlog_loans", "Loans known to need a score and waiting for it.")
SWEPT = Counter("loanpulse_score_sweep_finds_total", "Loans the sweep found with a score behind.")
RETRIES = Counter("loanpulse_score_retries_total", "Scoring transactions tried again after a passing error.")
UNSCORABLE = Counter("loanpulse_loans_unscorable_total", "Loans left out since their data would not score.")
BAD_NOTICES = Counter("loanpulse_score_bad_notices_total", "Notices that could not be read.")
EPISODES = Counter(
    "loanpulse_risk_alert_moves_total",
    "What happened to alert episodes.",
    ["rule", "move", "severity"],  # alerts.RULE; alerts.Move; thresholds.Severity
)
DELIVERIES = Counter(
    "loanpulse_alert_deliveries_total",
    "Attempts to tell receivers, by what became of them.",
    ["endpoint", "outcome"],  # webhook or topic; delivered, failed, dead
)
DELIVERIES_WAITING = Gauge(
    "loanpulse_alert_deliveries_waiting", "Messages not yet delivered and not given up."
)
