"""What Prometheus reads: requests by route, and the business figures, which are exported here only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

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
Row: TypeAlias = Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class OperationsGauge:
    """A gauge with a value and labels from columns of one query; `_minor` columns are told in major units."""

    name: str
    text: str
    query: str
    value: str
    labels: tuple[str, ...] = ("book",)

    def family(self, rows: Sequence[Row]) -> GaugeMetricFamily:
        """The gauge over the query's rows; a value that is null has no sample."""
        return _family(
            self.name,
            self.text,
            list(self.labels),
            (
                (tuple(row[label] for label in self.labels), self._number(row))
                for row in rows
                if row[self.value] is not None
            ),
        )

    def _number(self, row: Row) -> float:
        exponent = row["exponent"] if self.value.endswith("_minor") else 0
        return float(Decimal(row[self.value]) / Decimal(10) ** exponent)


_BY_CURRENCY = ("book", "currency")
_BY_REASON = ("book", "currency", "reason")
OPERATIONS = (
    OperationsGauge(
        "loanpulse_verification_age_seconds",
        "Since the last loanpulse verify of a book, or of the streams.",
        "count_verifications",
        "age_seconds",
    ),
    OperationsGauge(
        "loanpulse_verification_differences",
        "Differences that the last loanpulse verify found.",
        "count_verifications",
        "differences",
    ),
    OperationsGauge(
        "loanpulse_loans_stated",
        "Loans with a statement by upstream.",
        "count_drifts",
        "stated",
        _BY_CURRENCY,
    ),
    OperationsGauge(
        "loanpulse_statements_waiting",
        "Statements of upstream still to be compared.",
        "count_drifts",
        "waiting",
        _BY_CURRENCY,
    ),
    OperationsGauge(
        "loanpulse_loans_drifting",
        "Loans of which upstream's latest statement and our figures differ.",
        "count_drifts",
        "drifting",
        _BY_CURRENCY,
    ),
    OperationsGauge(
        "loanpulse_drift_worst",
        "Largest difference of a loan's principal from upstream's statement, major units.",
        "count_drifts",
        "worst_minor",
        _BY_CURRENCY,
    ),
    OperationsGauge(
        "loanpulse_oldest_unconfirmed_days",
        "Days since the statement, or else the start, of the running loan that is longest without one.",
        "count_drifts",
        "unconfirmed_days",
        _BY_CURRENCY,
    ),
    OperationsGauge(
        "loanpulse_loans_stale",
        "Active loans whose figures nobody vouches for.",
        "count_stale",
        "loans",
        _BY_REASON,
    ),
    OperationsGauge(
        "loanpulse_principal_stale",
        "Principal of stale loans, major units.",
        "count_stale",
        "principal_minor",
        _BY_REASON,
    ),
    OperationsGauge(
        "loanpulse_unapplied_events",
        "Events kept that do not count.",
        "count_unapplied",
        "events",
        _BY_REASON,
    ),
    OperationsGauge(
        "loanpulse_unapplied_amount",
        "Money in events kept that do not count, major units.",
        "count_unapplied",
        "amount_minor",
        _BY_REASON,
    ),
    OperationsGauge(
        "loanpulse_dead_letters",
        "Dead letters not yet replayed.",
        "count_dead_letters",
        "letters",
        ("topic",),
    ),
    OperationsGauge(
        "loanpulse_events_unaccounted",
        "Records received that are neither applied, unapplied, quarantined, duplicate, dead nor other.",
        "count_fates",
        "missing",
        (),
    ),
    OperationsGauge("loanpulse_loans_quarantined", "Loans whose fold failed.", "count_days", "quarantined"),
    OperationsGauge(
        "loanpulse_loans_restating",
        "Loans whose past days wait to be told anew.",
        "count_days",
        "restating",
    ),
    OperationsGauge(
        "loanpulse_day_closing_slices",
        "Slices whose log has closed the running business day.",
        "count_days",
        "closing_slices",
    ),
    OperationsGauge(
        "loanpulse_day_waiting_slices",
        "Slices whose loans were not yet brought to the running business day.",
        "count_days",
        "waiting_slices",
    ),
    OperationsGauge(
        "loanpulse_day_rolling_seconds",
        "How long the roll of the business day lasts; 0 when it is done.",
        "count_days",
        "rolling_seconds",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessReading:
    """The business figures at one moment; ages in seconds."""

    cells: tuple[PortfolioGauge, ...] = ()
    open_alerts: tuple[tuple[str, str, str, int], ...] = ()  # book, rule, severity, count
    data_ages: tuple[tuple[str, float | None], ...] = ()  # topic
    mart_ages: tuple[tuple[str, float], ...] = ()
    operations: Mapping[str, Sequence[Row]] = field(
        default_factory=dict
    )  # by query, as OPERATIONS reads them


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
        for gauge in OPERATIONS:
            yield gauge.family(reading.operations.get(gauge.query, ()))


def _portfolio(cells: tuple[PortfolioGauge, ...]) -> Iterator[GaugeMetricFamily]:
    labels = ["book", "currency", "region", "branch", "product", "dpd_bucket"]
    for name, text, column in (
        ("loanpulse_active_loans", "Active loans.", "loans"),
        (
            "loanpulse_principal_outstanding",
            "Principal outstanding of active loans, major units.",
            "principal",
        ),
        ("loanpulse_overdue", "Overdue amount of active loans, major units.", "overdue"),
    ):
        values = ((_labels_of(cell), getattr(cell, column)) for cell in cells)
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
