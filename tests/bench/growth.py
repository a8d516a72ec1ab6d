"""How the cost of an event grows with the book, and with the ledger; what a loan and an event weigh."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tests.bench.rate import TURNS, Streamed, streamed
from tests.bench.session import Session

SECTION = "growth"
SIZES = (10_000, 100_000, 1_000_000)
_LEDGER_ROWS_A_LOAN = 10
_AN_EVENT = """
    (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('core.event'))
    / (SELECT count(*) FROM core.event)
"""


async def measure(session: Session) -> None:
    """One worker at every size up to the session's, then at its size with a long ledger."""
    sizes = [size for size in SIZES if size < session.spec.loans] + [session.spec.loans]
    costs = [await _at_size(session, size) for size in sizes]
    for turn, small, big in zip(TURNS, costs[0], costs[-1], strict=True):
        name = f"an event at {sizes[-1]:,} loans, of one at {sizes[0]:,}{turn}"
        session.report.add(SECTION, name, "times", [big / small])
    await _long_ledger(session, costs[-1][-1])


async def _at_size(session: Session, size: int) -> list[float]:
    """What an event costs in the first portion and in the next."""
    smaller = session.of_size(size)
    runs = [await _run(smaller) for _ in range(session.runs)]
    for turn, what in enumerate(("a loan", "an event of the ledger")):
        weights = [weight[turn] for _, weight in runs]
        session.report.add(SECTION, f"{size:,} loans: database, {what}", "bytes", weights)
    portions = zip(*(taken for taken, _ in runs), strict=True)
    return [
        _report(session, f"{size:,} loans{turn}", taken) for turn, taken in zip(TURNS, portions, strict=True)
    ]


async def _run(session: Session) -> tuple[list[Streamed], tuple[float, float]]:
    dsn = await session.copied()
    whole = await _bytes(dsn, "pg_database_size(current_database())")
    portions = await streamed(session, dsn, session.contents)
    return portions, (whole / session.spec.loans, await _bytes(dsn, _AN_EVENT))


async def _long_ledger(session: Session, cost: float) -> None:
    """Stream on, portion after portion, until the ledger has ten rows a loan; the last portions count."""
    traffic, dsn = session.traffic(), await session.copied()
    portions = -(-_LEDGER_ROWS_A_LOAN * session.spec.loans // session.events)
    contents = (session.draw(traffic, session.events) for _ in range(portions))
    runs = await streamed(session, dsn, contents)
    name = f"{session.spec.loans:,} loans, {traffic.distinct:,} ledger rows"
    last = _report(session, name, runs[-session.runs :])
    session.report.add(
        SECTION, f"an event with {traffic.distinct:,} ledger rows, of one with few", "times", [last / cost]
    )


def _report(session: Session, name: str, runs: Sequence[Streamed]) -> float:
    add = session.report.add
    add(SECTION, f"{name}: stream", "events/s", [run.span.per_second for run in runs])
    add(SECTION, f"{name}: memory of the worker", "MB", [run.memory_mb for run in runs])
    cost = [run.span.cpu_us["worker"] + run.span.cpu_us["postgres"] for run in runs]
    return add(SECTION, f"{name}: CPU, worker and postgres", "us/event", cost).median


async def _bytes(dsn: str, what: str) -> float:
    connection = await asyncpg.connect(dsn)
    try:
        return float(await connection.fetchval(f"SELECT {what}"))
    finally:
        await connection.close()
