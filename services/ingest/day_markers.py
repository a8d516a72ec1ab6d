"""Markers of a day's end where the log lacks them: a lone one is spread, a book's clock writes its own.

They go through the outbox into the log, so that a replay meets them where the first reading did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from ingest.store import PostgresLoanStore
from loanbook import wire
from loanbook.domain.events import DayClosed
from loanbook.postgres.load_sql import load_sql
from loanbook.topics import LOAN_EVENTS

log = structlog.get_logger()
SOURCE = "urn:loanpulse:ingest"
_LOOK_EVERY_S = 5
_AGAIN_AFTER = timedelta(minutes=1)  # a marker under way needs no second one


def is_over(business_on: date, timezone: str, closes_at: time, now: datetime) -> bool:
    """Whether a business day has ended by the book's clock: at the cut-off of the day after it."""
    ends = datetime.combine(business_on + timedelta(days=1), closes_at, ZoneInfo(timezone))
    return now >= ends


async def spread_marker(store: PostgresLoanStore, book: str, business_on: date, now: datetime) -> None:
    """Write the end of a day into the log of every slice that has none yet."""
    marker = wire.encode(
        DayClosed(business_on=business_on),
        book=book,
        subject=book,
        source=SOURCE,
        event_id=f"{book}-{business_on}",
        recorded_at=now,
    )
    statement = load_sql("ingest", "insert_missing_markers")
    await store.pool.execute(statement, book, business_on, LOAN_EVENTS, marker)
    log.info("day_marker_spread", book=book, business_on=str(business_on))


async def run_clock(store: PostgresLoanStore, wake_relay: Callable[[], None]) -> None:
    """End the days of books that close by the clock, for as long as the worker lives."""
    written: dict[tuple[str, date], datetime] = {}
    while True:
        now = datetime.now(UTC)
        for row in await store.pool.fetch(load_sql("ingest", "select_clock_books")):
            day = (row["book"], row["business_on"])
            over = is_over(row["business_on"], row["timezone"], row["closes_at"], now)
            if over and now - written.get(day, datetime.min.replace(tzinfo=UTC)) > _AGAIN_AFTER:
                await spread_marker(store, row["book"], row["business_on"], now)
                written[day] = now
                wake_relay()
        await asyncio.sleep(_LOOK_EVERY_S)
