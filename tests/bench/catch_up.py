"""Catching up after a standstill: an hour of traffic waits, and a worker is started."""

from __future__ import annotations

import time

import asyncpg

from tests.bench.rate import check
from tests.bench.session import Filled, Session
from tests.bench.watching import progress, until

SECTION = "catch up"
_EVENTS_A_SECOND = 100  # of the traffic that was missed


async def measure(session: Session) -> None:
    """From the start of the process until nothing waits."""
    filled = await session.put(session.traffic(), _EVENTS_A_SECOND * 3600)
    took = [await _catch_up(session, filled) for _ in range(session.runs)]
    session.report.add(SECTION, f"an hour of {_EVENTS_A_SECOND} events/s, start included", "s", took)


async def _catch_up(session: Session, filled: Filled) -> float:
    dsn = await session.parts.copy_database(await session.template(), filled.first)
    connection = await asyncpg.connect(dsn)
    try:
        before = await progress(connection)
        started = time.perf_counter()
        session.parts.start("ingest", "worker")
        end = sum(filled.last)
        await until(session.parts, lambda: progress(connection), lambda seen: seen.offsets >= end)
        took = time.perf_counter() - started
        await check(connection, filled, before)
        return took
    finally:
        await connection.close()
        session.parts.stop_workers()
