"""A run of refold over a book: slices side by side while events flow, resumable, the roll-ups at its end."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from ingest.recompute.lane import Lane, RefoldError, RefoldPlan, refold_alone, refold_lane
from ingest.recompute.refold import Refolded
from ingest.recompute.settle import settle_rollups
from loanbook.domain.loan import FOLD_VERSION
from loanbook.postgres.fates import RETRYABLE
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Pool

RUN_LOCK = 7207  # class of the advisory locks on refolds: one run a book
_LOANS_A_PROCESS = 5_000  # with fewer it takes as long to start it as it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class RefoldOutcome:
    """What a run did, what it did before it was resumed included."""

    run_id: int
    refolded: Refolded
    rollup_cells: int | None  # None: nothing called for a look at them
    left_behind: int  # loans that other code has folded meanwhile


async def refold_book(dsn: str, pool: Pool, plan: RefoldPlan) -> RefoldOutcome:
    """Refold a book; its roll-ups are settled if any loan differed or had been folded by other code."""
    async with alone(pool, plan.book, plan.book_key):
        values = (plan.book_key, FOLD_VERSION, plan.is_check, plan.restart)
        run = await pool.fetchrow(load_sql("ingest", "open_refold"), *values)
        run_id: int = run["run_id"]
        await _refold_lanes(dsn, pool, plan, run_id, dict(enumerate(run["last_loan_keys"])))
        done = Refolded(**await pool.fetchrow(load_sql("ingest", "select_refold"), run_id))
        cells = None
        if done.differing or done.outdated or run["is_unsettled"]:
            cells = await settle_rollups(pool, plan.book, is_check=plan.is_check)
        await pool.execute(load_sql("ingest", "finish_refold"), run_id, cells)
        left = await pool.fetchval(load_sql("ingest", "count_outdated"), plan.book_key, FOLD_VERSION)
        return RefoldOutcome(run_id=run_id, refolded=done, rollup_cells=cells, left_behind=left)


@asynccontextmanager
async def alone(pool: Pool, book: str, book_key: int) -> AsyncIterator[None]:
    """Keep other runs off a book; raises RefoldError while there is one."""
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", RUN_LOCK, book_key):
            raise RefoldError(f"another process refolds book {book!r}")
        try:
            yield
        finally:
            with suppress(*RETRYABLE):  # a connection that is gone took its lock along; why, the work says
                await connection.execute("SELECT pg_advisory_unlock($1, $2)", RUN_LOCK, book_key)


async def _refold_lanes(
    dsn: str, pool: Pool, plan: RefoldPlan, run_id: int, last_loan_keys: Mapping[int, int]
) -> None:
    """Refold the slices in as many processes as the book is worth; the first lane is this process's."""
    count = await _process_count(pool, plan)
    lanes = [
        Lane(
            plan=plan,
            run_id=run_id,
            last_loan_keys={
                number: last_loan_keys[number] for number in sorted(last_loan_keys)[first::count]
            },
        )
        for first in range(count)
    ]
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=refold_alone, args=(dsn, lane), daemon=True) for lane in lanes[1:]]
    for process in others:
        process.start()
    try:
        await refold_lane(pool, lanes[0])
        for process in others:
            await asyncio.to_thread(process.join)
            if process.exitcode:
                raise RefoldError(f"a process of the refold ended with {process.exitcode}: refold again")
    finally:
        for process in others:
            process.terminate()


async def _process_count(pool: Pool, plan: RefoldPlan) -> int:
    most = plan.processes * _LOANS_A_PROCESS
    loans: int = await pool.fetchval(load_sql("ingest", "count_loans"), plan.book_key, most)
    return max(1, loans // _LOANS_A_PROCESS)
