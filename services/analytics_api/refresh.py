"""Keeps the tables of reporting: marks by the minute, marts that boards read, statements compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog

from analytics_api.errors import StoreAwayError
from analytics_api.flow.moving import count_moves
from analytics_api.flow.tallying import tally_changed
from analytics_api.statements import StatementWatch
from analytics_api.store import PostgresMartStore
from analytics_api.store.exposures import StageDays
from analytics_api.store.marts import Statement

log = structlog.get_logger()
_LOOK_EVERY_S = 1.0  # at the business days: a new one is refreshed at once
_SHORTEST_GAP_S = 3.0  # however fast the days of a replay go by
_MINUTE = timedelta(minutes=1)
_DAYS_A_TIME = 60  # of closed days summed up in one go
_MONTHS_A_TIME = 6  # of month ends at which loans are kept in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPlan:
    """How often the tables are made, how long minutes are kept, and when silence about a loan is stale."""

    interval: timedelta = _MINUTE
    minutes_kept: timedelta = timedelta(days=8)
    stale_after: timedelta = timedelta(days=35)
    retold_after: timedelta = timedelta(minutes=10)  # what days told anew change in cohorts and month ends
    provision_rates_bps: tuple[int, ...] = (100, 1000, 2500, 5000, 10000)  # by bucket
    fold_for: timedelta = timedelta(seconds=10)  # at most, in one round


def marts_at(now: datetime, plan: RefreshPlan) -> dict[str, list[Statement]]:
    """What makes each table at a moment."""
    minute = now.replace(second=0, microsecond=0)
    stage = StageDays()
    oldest, settled = now - plan.minutes_kept, now - plan.retold_after
    return {
        "book_minute": [("mark_book_minute", (minute,)), ("trim_book_minutes", (oldest,))],
        "pipeline_minute": [
            ("close_pipeline_minute", (minute - _MINUTE,)),
            ("mark_pipeline_minute", (minute, now)),
            ("trim_pipeline_minutes", (oldest,)),
        ],
        "portfolio_day": [("remake_portfolio_days", (_DAYS_A_TIME,))],
        "cash_day": [("settle_cash_days", ())],
        "past_due": [("clear_past_due", ()), ("fill_past_due", ())],
        "alerts": [("forget_alerts", ()), ("place_alerts", ())],
        "cohorts": [
            ("mark_cohorts", (now, settled)),
            *(
                (name, (now,))
                for name in ("clear_cohorts", "fill_cohorts", "clear_vintages", "fill_vintages")
            ),
        ],
        "rolls": [
            ("mark_loan_months", (now, settled, _MONTHS_A_TIME)),
            ("clear_loan_months", (now,)),
            ("fill_loan_months", (now,)),
            ("mark_rolls", (now,)),
            ("clear_rolls", (now,)),
            ("fill_rolls", (now,)),
        ],
        "stages": [
            ("clear_stages", ()),
            ("fill_stages", (plan.provision_rates_bps, stage.impaired_from, stage.increased_over)),
        ],
        "risk": [("clear_risk", ()), ("fill_risk", ())],
        "reconciliation": [
            ("clear_reconciliation", ()),
            ("fill_reconciliation", ()),
            ("clear_stale", ()),
            ("fill_stale", (plan.stale_after.days,)),
        ],
    }


async def refresh_once(
    store: PostgresMartStore,
    plan: RefreshPlan,
    clock: Callable[[], datetime],
    watch: StatementWatch | None = None,
) -> dict[str, int]:
    """Make every table once; gives the milliseconds each took. Raises StoreAwayError."""
    await (watch or StatementWatch(store)).keep(clock)
    took: dict[str, int] = {}
    for mart, statements in marts_at(clock(), plan).items():
        started = time.perf_counter()
        if not await store.remake(statements):
            log.info("refresh_elsewhere", mart=mart)
            continue
        took[mart] = round((time.perf_counter() - started) * 1000)
        await store.note_refresh(mart, clock(), took[mart])
    return took | await _look_at_loans(store, plan, clock)


async def _look_at_loans(
    store: PostgresMartStore, plan: RefreshPlan, clock: Callable[[], datetime]
) -> dict[str, int]:
    """Make the tables that fold loans, for a time at most: after a long replay they take several rounds."""
    took: dict[str, int] = {}
    until_s = time.perf_counter() + plan.fold_for.total_seconds()
    for mart, make in (("tally_day", tally_changed), ("move_month", count_moves)):
        started = time.perf_counter()
        if await make(store, time.perf_counter, until_s=until_s) is None:
            log.info("refresh_elsewhere", mart=mart)
            continue
        took[mart] = round((time.perf_counter() - started) * 1000)
        await store.note_refresh(mart, clock(), took[mart])
    return took


class Refresher:
    """Makes the tables again and again, each time the interval is over or a business day has begun."""

    def __init__(
        self, store: PostgresMartStore, plan: RefreshPlan, *, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._watch = StatementWatch(store)
        self._plan = plan
        self._clock = clock or (lambda: datetime.now(UTC))
        self._days: dict[str, date] = {}
        self._made_at: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; a database that is away is waited for."""
        while not stop.is_set():
            try:
                await self.step(time.monotonic())
            except StoreAwayError as error:
                log.warning("refresh_waits", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_EVERY_S)

    async def step(self, now_s: float) -> bool:
        """Make the tables if it is time; `now_s` is a steady clock."""
        days = await self._store.fetch_business_days()
        if not self._is_time(now_s, days):
            return False
        took = await refresh_once(self._store, self._plan, self._clock, self._watch)
        self._days, self._made_at = days, now_s
        log.debug("refreshed", took_ms=took)
        return True

    def _is_time(self, now_s: float, days: dict[str, date]) -> bool:
        if self._made_at is None:
            return True
        passed = now_s - self._made_at
        return passed >= self._plan.interval.total_seconds() or (
            days != self._days and passed >= _SHORTEST_GAP_S
        )
