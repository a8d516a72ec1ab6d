"""A lane of a refold: the loans of some slices, chunk by chunk, while events flow; several go side by side.

A chunk is looked at in a snapshot first. Only loans that are not proven there are locked and folded, so that
the stream waits for those alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.directory import PostgresDirectory
from ingest.recompute.columns import proven
from ingest.recompute.holding import snapshot
from ingest.recompute.refold import Refolded, check_loans, refold_loans
from ingest.recompute.settle import locked_unit, patiently
from ingest.records import LoanRef
from ingest.store import PostgresLoanStore
from loanbook.collecting import collect_seldom
from loanbook.domain.errors import LoanbookError
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection, Pool


class RefoldError(LoanbookError):
    """A book cannot be refolded now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefoldPlan:
    """What is asked of a run."""

    book: str
    book_key: int
    chunk: int = 500
    processes: int = 1
    is_check: bool = False  # count, write nothing
    retell: bool = False  # the past of every loan, not only of those that differ
    restart: bool = False  # leave an unfinished run behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Slices that one process refolds, each from behind a loan on."""

    plan: RefoldPlan
    run_id: int
    last_loan_keys: Mapping[int, int]  # by slice
    directory: PostgresDirectory = field(default_factory=PostgresDirectory)


def refold_alone(dsn: str, lane: Lane) -> None:
    """Refold a lane: what a process of its own does."""
    collect_seldom()
    asyncio.run(_connect_and_refold(dsn, lane))


async def _connect_and_refold(dsn: str, lane: Lane) -> None:
    store = await PostgresLoanStore.open(dsn, "")
    try:
        await refold_lane(store.pool, lane)
    finally:
        await store.close()


async def refold_lane(pool: Pool, lane: Lane) -> None:
    """Refold or check the loans of a lane; each chunk notes in its transaction how far it came.

    A process of its own stops when the one that began it is gone.
    """
    step = _check_chunk if lane.plan.is_check else _refold_chunk
    for number, last_loan_key in lane.last_loan_keys.items():
        place: LoanRef | None = LoanRef(number, last_loan_key)
        while place is not None:
            after = place
            place = await patiently(lambda after=after: step(pool, lane, after))  # type: ignore[misc]
            parent = multiprocessing.parent_process()
            if parent is not None and not parent.is_alive():
                return  # and so is the lock that keeps other runs off; the next one goes on from here


async def _refold_chunk(pool: Pool, lane: Lane, after: LoanRef) -> LoanRef | None:
    plan = lane.plan
    async with pool.acquire() as connection, snapshot(connection, lane.directory) as unit:
        refs = await _next(connection, plan, after)
        right = await proven(unit, unit.books[plan.book], refs) if refs and not plan.retell else {}
    if not refs:
        return None
    async with locked_unit(pool, lane.directory) as unit:
        done = await refold_loans(unit, unit.books[plan.book], refs, right, retell=plan.retell)
        await _advance(unit.connection, lane, refs[-1], done)
    return refs[-1]


async def _check_chunk(pool: Pool, lane: Lane, after: LoanRef) -> LoanRef | None:
    async with pool.acquire() as connection:
        async with snapshot(connection, lane.directory) as unit:
            refs = await _next(connection, lane.plan, after)
            done = await check_loans(unit, unit.books[lane.plan.book], refs)
        if not refs:
            return None
        await _advance(connection, lane, refs[-1], done)
        return refs[-1]


async def _next(connection: Connection, plan: RefoldPlan, after: LoanRef) -> list[LoanRef]:
    sql = load_sql("ingest", "select_loan_chunk")
    rows = await connection.fetch(sql, plan.book_key, after.slice, after.loan_key, plan.chunk)
    return [LoanRef(*row) for row in rows]


async def _advance(connection: Connection, lane: Lane, last: LoanRef, done: Refolded) -> None:
    sql = load_sql("ingest", "advance_refold")
    await connection.execute(sql, lane.run_id, *last, done.loans, done.differing, done.outdated)
