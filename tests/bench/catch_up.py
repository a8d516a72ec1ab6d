"""Catching up after a standstill: an hour of traffic waits, and a worker is started."""

from __future__ import annotations

import time
from collections.abc import Sequence

import asyncpg

from tests.bench.rate import check
from tests.bench.session import Content, Session
from tests.bench.watching import progress, until

SECTION = "catch up"
_EVENTS_A_SECOND = 100  # of the traffic that was missed


async def measure(session: Session) -> None:
    """From the start of the process until nothing waits."""
    per_second = min(_EVENTS_A_SECOND, session.spec.loans / 1_000)  # at most a few events a loan
    content = session.draw(session.traffic(), int(per_second * 3600))
    first = await session.put(content)
    took = [await _catch_up(session, content, first) for _ in range(session.runs)]
    session.report.add(SECTION, f"an hour of {per_second:g} events/s, start included", "s", took)


async def _catch_up(session: Session, content: Content, first: Sequence[int]) -> float:
    dsn = await session.parts.copy_database(await session.template(), first)
    connection = await asyncpg.connect(dsn)
    try:
        before = await progress(connection)
        started = time.perf_counter()
        session.parts.start("ingest", "worker")
        end = sum(first) + len(content.events)
        await until(session.parts, lambda: progress(connection), lambda seen: seen.offsets >= end)
        took = time.perf_counter() - started
        await check(connection, content, before)
        return took
    finally:
        await connection.close()
        session.parts.stop_workers()
