"""Settles the roll-ups of a book: compares them with states, folds and histories, and adds what they lack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from ingest.directory import PostgresDirectory
from ingest.recompute.cash import book_cash
from ingest.recompute.holding import snapshot
from ingest.recompute.rollups import (
    CellDifference,
    book_day_differences,
    book_now_differences,
    cash_differences,
    closed_days,
    put_right,
)
from ingest.transaction import PostgresUnit
from loanbook.postgres.fates import RETRYABLE, Fate, fate_of
from loanbook.postgres.pool import Pool

_WAITS_S = (0.05, 0.2, 1, 2, 5, 10)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a snapshot showed, and the running day it was taken on."""

    on: date
    found: list[CellDifference]


async def settle_rollups(pool: Pool, book: str, *, is_check: bool = False) -> int:
    """Put the roll-ups of a book right, or count what is wrong; gives the number of cells."""
    seen = await patiently(lambda: _compare(pool, book))
    if seen.found and not is_check:
        await patiently(lambda: _put_right(pool, book, seen))
    return len(seen.found)


@asynccontextmanager
async def locked_unit(pool: Pool, directory: PostgresDirectory | None = None) -> AsyncIterator[PostgresUnit]:
    """A transaction that shares the books' locks, as a batch does; new names are read with histories."""
    async with pool.acquire() as connection, connection.transaction():
        unit = PostgresUnit(connection, directory or PostgresDirectory(), "")
        await unit.lock_books()
        yield unit


async def patiently(work: Callable[[], Awaitable[Made]]) -> Made:
    """Do work again after passing errors such as a deadlock, with growing waits; the last error is raised."""
    for wait_s in _WAITS_S:
        try:
            return await work()
        except RETRYABLE as error:
            if fate_of(error) is not Fate.RETRY:
                raise
        await asyncio.sleep(wait_s)
    return await work()


async def _compare(pool: Pool, name: str) -> _Seen:
    async with pool.acquire() as connection, snapshot(connection) as unit:
        book = unit.books[name]
        found = await book_now_differences(connection, book)
        found += await book_day_differences(connection, book, await closed_days(connection, book))
        found += await cash_differences(connection, book, await book_cash(unit, book))
        return _Seen(on=book.business_on, found=found)


async def _put_right(pool: Pool, name: str, seen: _Seen) -> None:
    async with locked_unit(pool) as unit:
        await put_right(unit, unit.books[name], seen.found, seen_on=seen.on)
