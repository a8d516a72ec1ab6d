"""How soon an event shows: from its CloudEvents time, stamped at the send, until others can read its effect.

PostgreSQL itself notes when each transaction is committed (track_commit_timestamp), so every event
counts, not a sample: the commit of its ledger row is the moment its state is visible. A score is timed
for the last event of each loan to be sent, whose score row then stands for that event; the last in the
loan's own order it need not be, since some are backdated.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import asyncpg

from tests.bench.book import BUSINESS_ON
from tests.bench.log import close_day, paced
from tests.bench.parts import ROOT, BenchError
from tests.bench.preparing import rolled_to
from tests.bench.rate import owners
from tests.bench.session import EVENTS_A_LOAN, Session
from tests.bench.watching import progress, until

SECTION = "latency"
RATES = (500, 2_000, 10_000)
_SECONDS, _SECONDS_MIN = 15, 6
_WARM_S = 15  # a new broker takes several times its later share of the processors
_SETTLE_S = 3.0
_BEHIND_MAX_S = 0.5
_STATES = """
SELECT recorded_at AS sent_at, pg_xact_commit_timestamp(xmin) AS shown_at
FROM core.event WHERE recorded_at >= $1
"""
_SCORES = """
SELECT sent.sent_at, pg_xact_commit_timestamp(r.xmin) AS shown_at
FROM (
    SELECT slice, loan_key, max(recorded_at) AS sent_at
    FROM core.event WHERE recorded_at >= $1 GROUP BY slice, loan_key
) sent
JOIN core.loan_state s USING (slice, loan_key) JOIN risk.score r USING (slice, loan_key)
WHERE r.state_version >= s.version
"""
_ROLL_S = """
SELECT extract(epoch FROM max(swept_at) - min(flipped_at))::float FROM core.day_roll WHERE business_on = $1
"""
_UNSCORED = """
SELECT count(*) FROM core.loan_state s LEFT JOIN risk.score r USING (slice, loan_key)
WHERE s.last_recorded_at >= $1 AND (r.state_version IS NULL OR r.state_version < s.version)
"""

Meanwhile = Callable[[Session], AbstractAsyncContextManager[None]]


async def measure(session: Session) -> None:
    """Take latencies at each rate, then with a day roll and with a refold running."""
    for per_second in RATES:
        await _take(session, per_second, f"{per_second:,}/s", undisturbed)
    await _take(session, 2_000, "2,000/s, day roll", roll_the_day, day=BUSINESS_ON + timedelta(days=1))
    await _take(session, 2_000, "2,000/s, refold", refold)


@asynccontextmanager
async def undisturbed(_: Session) -> AsyncIterator[None]:
    """Nothing besides."""
    yield


@asynccontextmanager
async def roll_the_day(session: Session) -> AsyncIterator[None]:
    """Close the running day first, and tell how long its roll took; events came for a part of it at least."""
    await close_day(session.parts.servers, BUSINESS_ON)
    yield
    connection = await asyncpg.connect(session.parts.dsn())
    try:
        await until(session.parts, lambda: rolled_to(connection), lambda day: day > BUSINESS_ON)
        seconds = await connection.fetchval(_ROLL_S, BUSINESS_ON)
    finally:
        await connection.close()
    session.report.add(SECTION, "2,000/s, day roll: until all loans stand at the new day", "s", [seconds])


@asynccontextmanager
async def refold(session: Session) -> AsyncIterator[None]:
    """Fold loans again meanwhile, as the operator's command does; it is ended with the events."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loanbook.cli", "refold",
        env=session.parts.environment(), cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    yield
    if process.returncode:
        raise BenchError("refold failed")
    if process.returncode is None:
        process.terminate()
        await process.wait()


async def _take(
    session: Session, per_second: int, name: str, meanwhile: Meanwhile, day: date = BUSINESS_ON
) -> None:
    """Warm up, then send while something else goes on; `day` is that of the events from then on."""
    parts, traffic = session.parts, session.traffic()
    seconds = min(_SECONDS, EVENTS_A_LOAN * session.spec.loans // per_second)
    if seconds < _SECONDS_MIN:
        print(f"  too few loans for {per_second:,}/s", flush=True)
        return
    warm = traffic.take(per_second * _WARM_S)
    traffic.turn_to(day)
    events = traffic.take(per_second * seconds)
    dsn = await session.copied()
    connection = await asyncpg.connect(dsn)
    try:
        parts.start("scoring", "worker")
        parts.start("ingest", "worker")
        await until(parts, lambda: owners(connection), bool)
        await asyncio.sleep(_SETTLE_S)
        stamps: dict[bytes, bytes] = {}
        await paced(parts.servers, warm, per_second, stamps)
        async with meanwhile(session):
            since = datetime.now(UTC)
            behind = await paced(parts.servers, events, per_second, stamps)
        await _settle(session, connection, since, len(warm) + len(events))
        times = await _times(connection, _STATES, since), await _times(connection, _SCORES, since)
    finally:
        await connection.close()
        parts.stop_workers()
    if behind > _BEHIND_MAX_S:
        print(f"  the sender fell {behind:.1f} s behind {per_second:,}/s: these times count less", flush=True)
    for what, took in zip(("state", "score"), times, strict=True):
        _report(session, f"{name}: {what}", took)


async def _settle(session: Session, connection: asyncpg.Connection, since: datetime, events: int) -> None:
    async def done() -> int:
        now = await progress(connection)
        return now.taken + now.duplicates

    async def unscored() -> int:
        found: int = await connection.fetchval(_UNSCORED, since)
        return found

    await until(session.parts, done, lambda seen: seen >= events)
    await until(session.parts, unscored, lambda seen: seen == 0, every_s=0.5)


async def _times(connection: asyncpg.Connection, query: str, since: datetime) -> list[float]:
    rows = await connection.fetch(query, since)
    if not rows:
        raise BenchError("nothing was seen")
    return sorted((row["shown_at"] - row["sent_at"]).total_seconds() * 1000 for row in rows)


def _report(session: Session, name: str, took: Sequence[float]) -> None:
    add = session.report.add
    add(SECTION, f"{name}: p50", "ms", [statistics.median(took)])
    add(SECTION, f"{name}: p99", "ms", [took[int(len(took) * 0.99)]])
    add(SECTION, f"{name}: max", "ms", [took[-1]])
