"""A run of refold over a book: chunk by chunk while events flow, resumable, the roll-ups at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from ingest.recompute import FIRST_KEY, snapshot
from ingest.recompute_refold import Refolded, check_loans, refold_loans
from ingest.recompute_settle import locked_unit, patiently, settle_rollups
from ingest.records import LoanRef
from loanbook.domain.errors import LoanbookError
from loanbook.domain.loan import FOLD_VERSION
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection, Pool
from loanbook.topics import SLICES

RUN_LOCK = 7206  # class of the advisory locks on books: one run a book


class RefoldError(LoanbookError):
    """A book cannot be refolded now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefoldPlan:
    """What is asked of a run."""

    book: str
    book_key: int
    chunk: int = 500
    is_check: bool = False  # count, write nothing
    retell: bool = False  # the past of every loan, not only of those that differ
    restart: bool = False  # leave an unfinished run behind


@dataclass(frozen=True, slots=True, kw_only=True)
class RefoldOutcome:
    """What a run did, what it did before it was resumed included."""

    run_id: int
    refolded: Refolded
    rollup_cells: int | None  # None: nothing called for a look at them
    left_behind: int  # loans that other code has folded meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A run as its row tells it."""

    run_id: int
    last_slice: int
    last_loan_key: int
    loans: int
    differing: int
    outdated: int
    started_at: datetime


async def refold_book(pool: Pool, plan: RefoldPlan) -> RefoldOutcome:
    """Refold a book; its roll-ups are settled if any loan differed or had been folded by other code."""
    async with alone(pool, plan.book, plan.book_key):
        values = (plan.book_key, FOLD_VERSION, plan.is_check, plan.restart)
        run = _Run(**await pool.fetchrow(load_sql("ingest", "open_refold"), *values))
        done = Refolded(loans=run.loans, differing=run.differing, outdated=run.outdated)
        async for part in _chunks(pool, plan, run):
            done += part
        cells = None
        if done.differing or done.outdated or plan.restart:
            cells = await settle_rollups(pool, plan.book, is_check=plan.is_check)
        await pool.execute(load_sql("ingest", "finish_refold"), run.run_id, cells)
        left = await pool.fetchval(load_sql("ingest", "count_outdated"), plan.book_key, FOLD_VERSION)
        return RefoldOutcome(run_id=run.run_id, refolded=done, rollup_cells=cells, left_behind=left)


@asynccontextmanager
async def alone(pool: Pool, book: str, book_key: int) -> AsyncIterator[None]:
    """Keep other runs off a book; raises RefoldError while there is one."""
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", RUN_LOCK, book_key):
            raise RefoldError(f"another process refolds book {book!r}")
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1, $2)", RUN_LOCK, book_key)


async def _chunks(pool: Pool, plan: RefoldPlan, run: _Run) -> AsyncIterator[Refolded]:
    step = _check_chunk if plan.is_check else _refold_chunk
    place: LoanRef | None = LoanRef(run.last_slice, run.last_loan_key)
    for number in range(run.last_slice, SLICES):
        place = place if place and place.slice == number else LoanRef(number, FIRST_KEY)
        while place is not None:
            after = place
            place, done = await patiently(lambda after=after: step(pool, plan, run, after))  # type: ignore[misc]
            yield done


async def _refold_chunk(
    pool: Pool, plan: RefoldPlan, run: _Run, after: LoanRef
) -> tuple[LoanRef | None, Refolded]:
    async with locked_unit(pool) as unit:
        book = unit.books[plan.book]
        refs = await _next(unit.connection, "lock_loan_chunk", plan, after)
        if not refs:
            return None, Refolded()
        await unit.directory.load(unit.connection)
        done = await refold_loans(unit, book, refs, retell=plan.retell)
        await _advance(unit.connection, run, refs[-1], done)
        return refs[-1], done


async def _check_chunk(
    pool: Pool, plan: RefoldPlan, run: _Run, after: LoanRef
) -> tuple[LoanRef | None, Refolded]:
    async with pool.acquire() as connection:
        async with snapshot(connection) as unit:
            refs = await _next(connection, "select_loan_chunk", plan, after)
            done = await check_loans(unit, unit.books[plan.book], refs) if refs else Refolded()
        if refs:
            await _advance(connection, run, refs[-1], done)
        return (refs[-1] if refs else None), done


async def _next(connection: Connection, name: str, plan: RefoldPlan, after: LoanRef) -> list[LoanRef]:
    sql = load_sql("ingest", name)
    rows = await connection.fetch(sql, plan.book_key, after.slice, after.loan_key, plan.chunk)
    return [LoanRef(*row) for row in rows]


async def _advance(connection: Connection, run: _Run, last: LoanRef, done: Refolded) -> None:
    sql = load_sql("ingest", "advance_refold")
    await connection.execute(sql, run.run_id, *last, done.loans, done.differing, done.outdated)
