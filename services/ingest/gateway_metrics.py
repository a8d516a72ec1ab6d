"""Every metric of the gateway: constants with help, unit and closed label values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS_ACCEPTED = Counter(
    "loanpulse_gateway_events_accepted_total", "Events answered as accepted: durable in Kafka."
)
EVENTS_REFUSED = Counter(
    "loanpulse_gateway_events_refused_total",
    "Events answered as refused, by where the fault lies.",
    ["reason"],  # malformed, attributes, type, data, book, not_durable
)
REQUESTS = Counter("loanpulse_gateway_requests_total", "Requests to /v1/events.", ["status"])
REQUEST_SECONDS = Histogram(
    "loanpulse_gateway_request_seconds",
    "Time to answer a request to /v1/events.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
REQUEST_EVENTS = Histogram(
    "loanpulse_gateway_request_events",
    "Events in a request.",
    buckets=(1, 10, 100, 500, 1_000, 5_000, 10_000),
)
REQUESTS_AT_WORK = Gauge("loanpulse_gateway_requests_at_work", "Requests to /v1/events being answered.")
