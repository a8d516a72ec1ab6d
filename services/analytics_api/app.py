"""Puts the API together: parts, routes, and what stands around every request."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse

from analytics_api.board_viewer.routes import router as board_router
from analytics_api.board_viewer.viewer import BoardViewerSettings, open_board_viewer
from analytics_api.metrics import BusinessGauges
from analytics_api.routes import (
    alerts,
    documentation,
    health,
    loans,
    measures,
    measures_cohorts,
    measures_collection,
    measures_cures,
    measures_losses,
    operations,
    portfolio,
    problems,
    reconciliation,
    segments,
)
from analytics_api.routes.access import Gate, KeyRing, RateLimiter
from analytics_api.routes.answers import AnswerCache
from analytics_api.routes.description import describe
from analytics_api.routes.desk import Desk
from analytics_api.routes.health import GaugeReader
from analytics_api.routes.middleware import BodyLimit, RequestMetrics, SecurityHeaders
from analytics_api.routes.wiring import Assumptions, Parts
from analytics_api.settings import AnalyticsSettings
from analytics_api.store import LoanPicture, LoanPictures, PostgresAnalyticsStore, take_picture

_DESCRIPTION = (
    "Live figures of the loan book. Money is a decimal string with its currency; a ratio whose denominator"
    " is 0 is null; every answer says of which day it is and how old its data are. PAR counts the whole"
    " principal of loans *more than* so many days past due; charged-off loans are left out."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Wall time for what is written down, steady time for what is measured."""

    now: Callable[[], datetime]
    steady_s: Callable[[], float]


REAL_CLOCKS = Clocks(now=lambda: datetime.now(UTC), steady_s=time.monotonic)


def create_app(settings: AnalyticsSettings, clocks: Clocks = REAL_CLOCKS) -> FastAPI:
    """The API on its settings; the database is opened when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Desk]]:
        async with AsyncExitStack() as stack:
            await _open_parts(app, settings, clocks, stack)
            yield {"desk": Desk(answers=app.state.parts.answers, gate=app.state.gate)}

    app = FastAPI(
        title="Loanpulse analytics",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    problems.install(app)
    for module in (
        portfolio,
        segments,
        measures,
        measures_cohorts,
        measures_losses,
        measures_collection,
        measures_cures,
        loans,
        alerts,
        operations,
        reconciliation,
        health,
        documentation,
    ):
        app.include_router(module.router)
    app.include_router(board_router)
    app.add_api_route("/", _home, include_in_schema=False)
    app.openapi = describe(app)  # type: ignore[method-assign]
    _surround(app, settings)
    return app


def _surround(app: FastAPI, settings: AnalyticsSettings) -> None:
    """Middleware from the inside out."""
    app.add_middleware(BodyLimit, bytes_max=settings.body_bytes_max)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match"],
            expose_headers=["ETag", "X-Data-Age-Seconds", "Retry-After"],
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestMetrics)


async def _open_parts(
    app: FastAPI, settings: AnalyticsSettings, clocks: Clocks, stack: AsyncExitStack
) -> None:
    dsn = settings.database_url.get_secret_value()
    store = await PostgresAnalyticsStore.open(
        dsn, size_max=settings.pool_size_max, statement_timeout=settings.statement_timeout
    )
    stack.push_async_callback(store.close)
    await store.require_schema()
    await store.warm_up()
    cache = AnswerCache(ttl_s=settings.cache_for.total_seconds(), clock=clocks.steady_s)
    app.state.parts = Parts(
        store=store,
        answers=cache,
        pictures=_open_pictures(store, clocks, stack),
        clock=clocks.now,
        assumptions=Assumptions(
            provision_percents=settings.provision_percents, loss_given_default=settings.loss_given_default
        ),
    )
    app.state.gate = _gate(settings, clocks)
    app.state.gauge_reader = GaugeReader(
        store, BusinessGauges(), ttl_s=settings.gauges_cache_for.total_seconds(), clock=clocks.steady_s
    )
    viewer = open_board_viewer(
        BoardViewerSettings(
            boards_dir=settings.boards_dir,
            dsn=dsn,
            key_digests=frozenset(settings.api_keys) if settings.auth == "on" else frozenset(),
        )
    )
    app.state.board_viewer = await stack.enter_async_context(viewer)


def _open_pictures(store: PostgresAnalyticsStore, clocks: Clocks, stack: AsyncExitStack) -> LoanPictures:
    async def take(book_key: int) -> LoanPicture:
        async with store.reading() as reading:
            return await take_picture(reading, book_key, clocks.now())

    pictures = LoanPictures(take, clock=clocks.steady_s)
    stack.callback(pictures.close)
    return pictures


def _gate(settings: AnalyticsSettings, clocks: Clocks) -> Gate:
    return Gate(
        keys=KeyRing(frozenset(settings.api_keys) if settings.auth == "on" else None),
        limiter=RateLimiter(
            per_second=settings.rate_per_second, burst=settings.rate_burst, clock=clocks.steady_s
        ),
    )


async def _home() -> RedirectResponse:
    return RedirectResponse("/boards")
