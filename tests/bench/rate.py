"""Events a second from the topic to committed state, one worker and two, and what an event costs whom.

The workers share the partitions first and wait at the log's end. The traffic is then written in one Kafka
transaction, which they do not see; the clock starts with its commit, so that nothing was fetched before,
and stops when the last event's effect is committed.

Each run has two portions. The first meets workers just started and a database just checkpointed, which writes
every page that it changes whole to its log; "going on" is the next portion, as it is from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from subprocess import Popen

import asyncpg

from loanbook.topics import LOAN_EVENTS
from tests.bench.log import unseen
from tests.bench.parts import BenchError, Parts
from tests.bench.session import Content, Session
from tests.bench.watching import Progress, Span, between, look_at, peak_memory_mb, progress, until

SECTION = "rate"
TURNS = ("", ", going on")  # what the two portions of a run are called
_SETTLE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """One run of workers over new traffic."""

    span: Span
    memory_mb: float


async def measure(session: Session) -> None:
    """Take the rates of one worker and of two, each run on a fresh copy of the book."""
    for workers, name in ((1, "1 worker"), (2, "2 workers")):
        runs = [
            await streamed(session, await session.copied(), session.contents, workers=workers)
            for _ in range(session.runs)
        ]
        for turn, portions in zip(TURNS, zip(*runs, strict=True), strict=True):
            _report(session, portions, f"{name}{turn}")


async def streamed(
    session: Session,
    dsn: str,
    contents: Iterable[Content],
    *,
    workers: int = 1,
    beside: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> list[Streamed]:
    """Let workers read one traffic after another; BenchError when what they made of it is not exact.

    `beside` looks at the first worker's process meanwhile.
    """
    parts = session.parts
    connection = await asyncpg.connect(dsn)
    try:
        started = parts.start("ingest", "worker", count=workers)
        await until(parts, lambda: owners(connection), lambda found: found == workers)
        await connection.execute("SELECT pg_stat_statements_reset()")
        with beside(started[0].pid):
            return [await _portion(parts, connection, content, started) for content in contents]
    finally:
        await connection.close()
        parts.stop_workers()


async def _portion(
    parts: Parts, connection: asyncpg.Connection, content: Content, started: Sequence[Popen[bytes]]
) -> Streamed:
    before = await progress(connection)
    async with unseen(parts.servers, content.events):
        await asyncio.sleep(_SETTLE_S)
        start = look_at(parts, before.offsets)
    wanted = before.offsets + len(content.events)
    done = await until(parts, lambda: progress(connection), lambda seen: seen.offsets >= wanted)
    span = between(start, look_at(parts, done.offsets))
    await check(connection, content, before)
    return Streamed(span=span, memory_mb=max(peak_memory_mb(process.pid) for process in started))


async def check(connection: asyncpg.Connection, content: Content, before: Progress) -> None:
    """Raise BenchError unless every event since then has had its effect exactly once."""
    done = await progress(connection)
    paid = await connection.fetchval("SELECT sum(paid_minor)::bigint FROM core.loan_state")
    counted = [now - then for now, then in zip(done, before, strict=True)]
    seen = (*counted[1:], paid)
    wanted = (content.distinct, len(content.events) - content.distinct, 0, content.paid_minor)
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


def _report(session: Session, runs: Sequence[Streamed], name: str) -> None:
    add = session.report.add
    for part in ("worker", "postgres", "broker"):
        add(SECTION, f"{name}: CPU, {part}", "us/event", [run.span.cpu_us[part] for run in runs])
    add(SECTION, f"{name}: memory of one at its peak", "MB", [run.memory_mb for run in runs])
    add(SECTION, f"{name}: stream", "events/s", [run.span.per_second for run in runs])
