"""Writes the minute tables of reporting as mart_writer, one refresh at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Self

from analytics_api.store.faults import translated
from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.migrate import require_schema
from loanbook.postgres.pool import Connection, Pool, create_pool

Statement = tuple[str, tuple[Any, ...]]  # name of the SQL file, arguments
# A batch's rows bear the time of its beginning: how long before a look an unseen one may have begun.
_BATCH = timedelta(seconds=10)
_LONG_BATCH = timedelta(minutes=10)
# Loans meet their scores slice by slice: what is looked up of one stays in the caches.
_BY_SLICE = {"enable_partitionwise_join": "on", "enable_partitionwise_aggregate": "on"}


class PostgresMartStore:
    """A connection that acts as mart_writer; raises StoreAwayError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str) -> Self:
        """Connect and check the schema; raises FatalError, StoreAwayError."""
        with translated():
            pool = await create_pool(dsn, "mart_writer", size_max=2, settings=_BY_SLICE)
            await require_schema(pool)
        return cls(pool)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close()

    async def fetch_business_days(self) -> dict[str, date]:
        """The running business day of every book."""
        with translated():
            rows = await self._pool.fetch(_sql("fetch_business_days"))
        return {row["book"]: row["business_on"] for row in rows}

    async def remake(self, statements: Sequence[Statement]) -> bool:
        """Run the statements of one table in one transaction; False while another refresh is at it."""
        async with self._transaction() as connection:
            if not await connection.fetchval(_sql("claim_refresh")):
                return False
            for name, arguments in statements:
                await connection.execute(_sql(name), *arguments)
        return True

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[Reading | None]:
        """One snapshot to read and write in; None while another refresh is at it."""
        with translated():
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read"),
            ):
                yield Reading(connection) if await connection.fetchval(_sql("claim_refresh")) else None

    async def note_refresh(self, mart: str, at: datetime, took_ms: int) -> None:
        """Note when a table was made, and how long that took."""
        async with self._transaction() as connection:
            await connection.execute(_sql("note_refresh"), mart, at, took_ms)

    async def take_statements(self, since: datetime | None) -> datetime | None:
        """Note what upstream stated since a moment (None: ever); gives the moment of this look.

        None while another refresh is at it.
        """
        async with self._transaction() as connection:
            if not await connection.fetchval(_sql("claim_refresh")):
                return None
            now: datetime = await connection.fetchval(_sql("fetch_database_time"))
            await connection.execute(_sql("take_statements"), since and since - _LONG_BATCH)
            if since:
                await connection.execute(_sql("reopen_statements"), since - _BATCH)
        return now

    async def fetch_statements(self, compared_before: datetime, limit: int) -> list[Row]:
        """Statements to compare, those that never were first."""
        return await self._fetch("fetch_statements", compared_before, limit)

    async def fetch_ledgers(self, loans: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[Row]]:
        """The ledger rows of several loans, by slice and loan key."""
        async with self._transaction() as connection:
            return await Reading(connection).fetch_ledgers(loans)

    async def fetch_authorities(self, book_key: int) -> dict[int, int]:
        """Source whose word counts, by event type."""
        async with self._transaction() as connection:
            return await Reading(connection).fetch_authorities(book_key)

    async def save_comparisons(self, at: datetime, compared: Sequence[tuple[Any, ...]]) -> None:
        """Keep what comparing found: a tuple a statement, in the order of the query's columns."""
        async with self._transaction() as connection:
            await connection.execute(_sql("save_comparisons"), at, *map(list, zip(*compared, strict=True)))

    async def _fetch(self, name: str, *arguments: Any) -> list[Row]:  # noqa: ANN401 - whatever the query takes
        with translated():
            rows: list[Row] = await self._pool.fetch(_sql(name), *arguments)
        return rows

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection


def _sql(name: str) -> str:
    return load_sql("analytics_api", name)
