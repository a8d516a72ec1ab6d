"""Events a second from the topic to committed state, one worker and two, and what an event costs whom.

The topic is filled first. The clock runs over the last seven tenths of the events, so that what the
workers have fetched before it starts does not count as done in no time.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

import asyncpg

from loanbook.topics import LOAN_EVENTS
from tests.bench.parts import BenchError
from tests.bench.session import Filled, Session
from tests.bench.watching import Progress, Span, measured, peak_memory_mb, progress, until

SECTION = "rate"
_WARM_SHARE = 0.3
_SETTLE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """One run of workers over the filled topic."""

    span: Span
    memory_mb: float


async def measure(session: Session) -> None:
    """Take the rates of one worker and of two, each run on a fresh copy of the book."""
    template, filled = await session.template(), await session.filled()
    runs = []
    for _ in range(session.runs):
        dsn = await session.parts.copy_database(template, filled.first)
        runs.append(await streamed(session, dsn, filled))
    _report(session, runs, "1 worker")
    _report(session, [await streamed_by_two(session, template) for _ in range(session.runs)], "2 workers")


async def streamed(
    session: Session,
    dsn: str,
    filled: Filled,
    beside: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Streamed:
    """Let a worker read what is in the topic; BenchError when what it made of it is not exact.

    `beside` looks at its process meanwhile.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_stat_statements_reset()")
        before = await progress(connection)
        workers = session.parts.start("ingest", "worker")
        with beside(workers[0].pid):
            return await _watched(session, connection, filled, workers, before)
    finally:
        await connection.close()
        session.parts.stop_workers()


async def streamed_by_two(session: Session, template: str) -> Streamed:
    """The same by two workers: they share the partitions first, and are let go when the topic is full."""
    parts = session.parts
    dsn = await parts.copy_database(template, await parts.log_ends())
    connection = await asyncpg.connect(dsn)
    try:
        workers = parts.start("ingest", "worker", count=2)
        await until(parts, lambda: owners(connection), lambda found: found == len(workers))
        before = await progress(connection)
        async with _held(dsn):
            filled = await session.filled_again()
            await asyncio.sleep(_SETTLE_S)
        return await _watched(session, connection, filled, workers, before)
    finally:
        await connection.close()
        parts.stop_workers()


async def check(connection: asyncpg.Connection, filled: Filled, before: Progress) -> None:
    """Raise BenchError unless every event since then has had its effect exactly once."""
    done = await progress(connection)
    paid = await connection.fetchval("SELECT sum(paid_minor)::bigint FROM core.loan_state")
    counted = [now - then for now, then in zip(done, before, strict=True)]
    seen = (*counted[1:], paid)
    wanted = (filled.distinct, filled.events - filled.distinct, 0, filled.paid_minor)
    if seen != wanted:
        raise BenchError(f"taken, duplicates, dead and paid are {seen}, not {wanted}")


async def owners(connection: asyncpg.Connection) -> int:
    """How many workers share the partitions; 0 until every partition has one."""
    found: int = await connection.fetchval(
        "SELECT CASE WHEN bool_and(owner IS NOT NULL) THEN count(DISTINCT owner) ELSE 0 END"
        " FROM core.stream_position WHERE topic = $1",
        LOAN_EVENTS,
    )
    return found


async def _watched(
    session: Session,
    connection: asyncpg.Connection,
    filled: Filled,
    workers: Sequence[subprocess.Popen[bytes]],
    before: Progress,
) -> Streamed:
    start = sum(filled.first)
    first = start + int(filled.events * _WARM_SHARE)
    span = await measured(session.parts, connection, first, start + filled.events)
    memory = max(peak_memory_mb(process.pid) for process in workers)
    await check(connection, filled, before)
    return Streamed(span=span, memory_mb=memory)


@asynccontextmanager
async def _held(dsn: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE core.event IN SHARE MODE")
            yield
    finally:
        await connection.close()


def _report(session: Session, runs: Sequence[Streamed], name: str) -> None:
    add = session.report.add
    for part in ("worker", "postgres", "broker"):
        add(SECTION, f"{name}: CPU, {part}", "us/event", [run.span.cpu_us[part] for run in runs])
    add(SECTION, f"{name}: memory of one at its peak", "MB", [run.memory_mb for run in runs])
    add(SECTION, f"{name}: stream", "events/s", [run.span.per_second for run in runs])
