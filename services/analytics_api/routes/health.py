"""Whether the process lives, whether it can serve, and what Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from analytics_api.errors import StoreAwayError
from analytics_api.flow.figures import BUCKET_NAMES
from analytics_api.metrics import (
    DATABASE_UP,
    REGISTRY,
    SERVICE,
    BusinessGauges,
    BusinessReading,
    PortfolioGauge,
)
from analytics_api.routes.wiring import Admitted, AppParts
from analytics_api.schemas.operations import Health
from analytics_api.store import PostgresAnalyticsStore, Row
from loanbook.domain.errors import FatalError

router = APIRouter(tags=["health"])


class GaugeReader:
    """Reads the business gauges at most once in a while, however often Prometheus asks."""

    def __init__(
        self,
        store: PostgresAnalyticsStore,
        gauges: BusinessGauges,
        *,
        ttl_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._gauges = gauges
        self._registry = CollectorRegistry()
        self._registry.register(gauges)
        self._ttl_s = ttl_s
        self._clock = clock
        self._good_until: float | None = None
        self._lock = asyncio.Lock()

    async def exposition(self) -> bytes:
        """All metrics as Prometheus reads them."""
        await self._refresh()
        return generate_latest(REGISTRY) + generate_latest(self._registry)

    async def _refresh(self) -> None:
        """Read again if the last reading is too old; without a database there are no gauges."""
        async with self._lock:
            if self._good_until is not None and self._clock() < self._good_until:
                return
            try:
                self._gauges.reading = await _read(self._store)
            except StoreAwayError:
                self._gauges.reading = None
                DATABASE_UP.labels(SERVICE).set(0)
                return
            DATABASE_UP.labels(SERVICE).set(1)
            self._good_until = self._clock() + self._ttl_s


@router.get("/health", summary="The process lives")
async def get_health() -> Health:
    """Says ok whenever it can say anything; look at /ready for what it needs."""
    return Health(status="ok")


@router.get("/ready", summary="It can serve", responses={503: {"model": Health}})
async def get_ready(parts: AppParts, response: Response) -> Health:
    """Whether the database answers and has the schema this code needs."""
    try:
        await parts.store.require_schema()
    except (StoreAwayError, FatalError) as error:
        response.status_code = 503
        return Health(status="unavailable", checks={"database": str(error)})
    return Health(status="ok", checks={"database": "ok"})


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request, _: Admitted) -> Response:
    """What Prometheus reads; behind a key like all figures."""
    reader: GaugeReader = request.app.state.gauge_reader
    return Response(await reader.exposition(), media_type=CONTENT_TYPE_LATEST)


async def _read(store: PostgresAnalyticsStore) -> BusinessReading:
    async with store.reading() as reading:
        rows = await reading.fetch_gauges()
        topics = await reading.fetch_freshness(None)
        marts = await reading.fetch_marts()
    return BusinessReading(
        cells=tuple(_gauge(row) for row in rows["fetch_gauge_cells"]),
        open_alerts=tuple(
            (row["book"], row["rule"], row["severity"], row["episodes"]) for row in rows["count_open_alerts"]
        ),
        data_ages=tuple({row["topic"]: row["data_age_seconds"] for row in topics}.items()),
        mart_ages=tuple((row["mart"], row["age_seconds"]) for row in marts),
        operations=rows,
    )


def _gauge(row: Row) -> PortfolioGauge:
    scale = Decimal(10) ** row["exponent"]
    return PortfolioGauge(
        **{name: row[name] for name in ("book", "currency", "region", "branch", "product", "loans")},
        bucket=BUCKET_NAMES[row["bucket"]],
        principal=float(row["principal_minor"] / scale),
        overdue=float(row["overdue_minor"] / scale),
    )
