"""What the refresh of the marts costs the stream: the same traffic alone, and with round after round beside.

In earnest a round comes each minute. So what the rounds take of the rate, times the share of a minute that
one of them is busy, is what they slow the stream by.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from tests.bench.rate import Streamed, streamed
from tests.bench.session import Session
from tests.bench.watching import until

SECTION = "refreshing"
_WORKERS = 2
_REST_S = 1.0  # between rounds: the refresh looks each second whether it is time
_MINUTE_S = 60.0
# As if every loan had been folded before: in earnest that is done once, over hours, ten seconds a minute.
_FOLDED = """
INSERT INTO reporting.loan_tally
    (slice, loan_key, book_key, currency_key, branch_key, product_key, version, as_of,
     day, measure, items, total)
SELECT s.slice, s.loan_key, s.book_key, s.currency_key, s.branch_key, s.product_key, s.version,
       b.business_on - 1, '{}', '{}', '{}', '{}'
FROM core.loan_state s JOIN core.book b USING (book_key)
"""
_HAS_CAUGHT_UP = """
SELECT count(*) = 2 AND (SELECT coalesce(bool_and(waiting_loans = 0), false) FROM reporting.tally_mark)
FROM reporting.mart_refresh WHERE mart IN ('tally_day', 'move_month')
"""
_ROUND = "SELECT coalesce(sum(took_ms), 0)::float8 / 1000 FROM reporting.mart_refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two runs over the same traffic, one after the other, and how long a round took meanwhile."""

    alone: Streamed
    beside: Streamed
    round_s: float

    @property
    def kept(self) -> float:
        """What is left of the rate while the marts are refreshed all the time."""
        return self.beside.span.per_second / self.alone.span.per_second

    @property
    def round_cpu_s(self) -> float:
        """Processor time of a round, PostgreSQL's and that of slower events included."""
        alone, beside = (sum(run.span.cpu.values()) for run in (self.alone, self.beside))
        return (beside - alone) / (self.beside.span.seconds / (self.round_s + _REST_S))

    @property
    def slowed_percent(self) -> float:
        """What a round a minute takes of the rate."""
        return (1 - self.kept) * (self.round_s + _REST_S) / _MINUTE_S * 100


async def measure(session: Session) -> None:
    """Take pairs of runs, each on a fresh copy of the book."""
    pairs = [await _pair(session) for _ in range(session.runs)]
    add = session.report.add
    add(SECTION, "2 workers: stream, alone", "events/s", [pair.alone.span.per_second for pair in pairs])
    add(
        SECTION,
        "2 workers: stream, marts refreshed all the time",
        "events/s",
        [pair.beside.span.per_second for pair in pairs],
    )
    add(SECTION, "of the stream alone", "times", [pair.kept for pair in pairs])
    add(SECTION, "a round of the refresh meanwhile", "s", [pair.round_s for pair in pairs])
    add(SECTION, "a round of the refresh meanwhile: CPU", "s", [pair.round_cpu_s for pair in pairs])
    add(SECTION, "a round a minute slows the stream by", "%", [pair.slowed_percent for pair in pairs])


async def _pair(session: Session) -> _Pair:
    [alone] = await streamed(session, await session.copied(), [session.content], workers=_WORKERS)
    dsn = await session.copied()
    connection = await asyncpg.connect(dsn)
    try:
        await _refresh(session, connection)
        [beside] = await streamed(session, dsn, [session.content], workers=_WORKERS)
        return _Pair(alone=alone, beside=beside, round_s=await connection.fetchval(_ROUND))
    finally:
        await connection.close()
        session.parts.stop_workers()


async def _refresh(session: Session, connection: asyncpg.Connection) -> None:
    """Start the refresh, round after round, and wait until it has caught up; it ends with the workers."""
    await connection.execute(_FOLDED)
    environment = {"ANALYTICS_REFRESH_INTERVAL": "PT0.1S", "ANALYTICS_AUTH": "off"}
    session.parts.start("analytics_api", "refresh", environment=environment)
    await until(session.parts, lambda: connection.fetchval(_HAS_CAUGHT_UP), bool, every_s=1.0)
