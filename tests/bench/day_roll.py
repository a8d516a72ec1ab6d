"""The roll of the business day: from the end of the day in the logs until every loan stands at the next.

Once on the book as it is, where a tenth of the loans falls due on the new day, and once on a book
whose loans all fall due on it.
"""

from __future__ import annotations

import asyncio
import time

import asyncpg

from tests.bench.book import BUSINESS_ON
from tests.bench.log import close_day
from tests.bench.preparing import rolled_to
from tests.bench.rate import owners
from tests.bench.session import Session
from tests.bench.watching import until

SECTION = "day roll"
_SETTLE_S = 3.0
_KEPT_LOANS = 100_000  # the second book of a bigger size takes too much room to stay


async def measure(session: Session) -> None:
    """Roll fresh copies of both books."""
    for name, one_due_date in (("a tenth due", False), ("all due", True)):
        rolled = [await _roll(session, one_due_date=one_due_date) for _ in range(session.runs)]
        add = session.report.add
        add(SECTION, f"{name}: loans brought over", "loans", [float(loans) for loans, _ in rolled])
        add(SECTION, f"{name}: until all stand at the new day", "s", [seconds for _, seconds in rolled])
        add(SECTION, f"{name}: sweep", "loans/s", [loans / seconds for loans, seconds in rolled])
    if session.spec.loans > _KEPT_LOANS:
        await session.forget(one_due_date=True)


async def _roll(session: Session, *, one_due_date: bool) -> tuple[int, float]:
    parts = session.parts
    connection = await asyncpg.connect(await session.copied(one_due_date=one_due_date))
    try:
        parts.start("ingest", "worker")
        await until(parts, lambda: owners(connection), bool)
        await asyncio.sleep(_SETTLE_S)
        await close_day(parts.servers, BUSINESS_ON)
        started = time.perf_counter()
        await until(parts, lambda: rolled_to(connection), lambda day: day > BUSINESS_ON)
        seconds = time.perf_counter() - started
        query = "SELECT sum(loans)::bigint FROM core.day_roll WHERE business_on = $1"
        return await connection.fetchval(query, BUSINESS_ON), seconds
    finally:
        await connection.close()
        parts.stop_workers()
