"""What Prometheus reads: requests by route, and the business figures, which are exported here only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

HTTP_REQUESTS = Counter(
    "loanpulse_http_requests_total",
    "Requests answered, by route template and status.",
    ["service", "method", "route", "status"],
    registry=REGISTRY,
)
HTTP_REQUEST_SECONDS = Histogram(
    "loanpulse_http_request_seconds",
    "Time to answer a request, by route template.",
    ["service", "method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
ANSWERS_SHARED = Counter(
    "loanpulse_answers_shared_total",
    "Aggregate answers given from the short cache or from a query already under way.",
    registry=REGISTRY,
)
DATABASE_UP = Gauge(
    "loanpulse_database_up", "Whether the database answered the last reading.", ["service"], registry=REGISTRY
)
SERVICE = "analytics_api"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioGauge:
    """One cell of the live portfolio; amounts in major units, for ratios in alert rules only."""

    book: str
    currency: str
    region: str
    branch: str
    product: str
    bucket: str
    loans: int
    principal: float
    overdue: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessReading:
    """The business figures at one moment; ages in seconds."""

    cells: tuple[PortfolioGauge, ...] = ()
    open_alerts: tuple[tuple[str, str, str, int], ...] = ()  # book, rule, severity, count
    data_ages: tuple[tuple[str, float | None], ...] = ()  # topic
    mart_ages: tuple[tuple[str, float], ...] = ()
    unapplied: tuple[tuple[str, str, int], ...] = ()  # book, reason, count
    dead_letters: tuple[tuple[str, int], ...] = ()  # topic, not replayed


class BusinessGauges(Collector):
    """Gauges of the last reading; nothing is exported before the first and while the database is away."""

    def __init__(self) -> None:
        self.reading: BusinessReading | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the families of the last reading."""
        reading = self.reading
        if reading is None:
            return
        yield from _portfolio(reading.cells)
        yield _family(
            "loanpulse_alerts_open",
            "Alert episodes that are open.",
            ["book", "rule", "severity"],
            ((row[:3], row[3]) for row in reading.open_alerts),
        )
        yield _family(
            "loanpulse_data_age_seconds",
            "Age of what has been read, worst partition.",
            ["topic"],
            (((topic,), age) for topic, age in reading.data_ages if age is not None),
        )
        yield _family(
            "loanpulse_mart_age_seconds",
            "Age of a table of the refresh.",
            ["mart"],
            (((mart,), age) for mart, age in reading.mart_ages),
        )
        yield _family(
            "loanpulse_unapplied_events",
            "Events kept that do not count.",
            ["book", "reason"],
            ((row[:2], row[2]) for row in reading.unapplied),
        )
        yield _family(
            "loanpulse_dead_letters",
            "Dead letters not yet replayed.",
            ["topic"],
            (((topic,), count) for topic, count in reading.dead_letters),
        )


def _portfolio(cells: tuple[PortfolioGauge, ...]) -> Iterator[GaugeMetricFamily]:
    labels = ["book", "currency", "region", "branch", "product", "dpd_bucket"]
    for name, text, field in (
        ("loanpulse_active_loans", "Active loans.", "loans"),
        (
            "loanpulse_principal_outstanding",
            "Principal outstanding of active loans, major units.",
            "principal",
        ),
        ("loanpulse_overdue", "Overdue amount of active loans, major units.", "overdue"),
    ):
        values = ((_labels_of(cell), getattr(cell, field)) for cell in cells)
        yield _family(name, text, labels, values)


def _labels_of(cell: PortfolioGauge) -> tuple[str, ...]:
    return (cell.book, cell.currency, cell.region, cell.branch, cell.product, cell.bucket)


def _family(
    name: str, text: str, labels: list[str], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family
