"""Writes the minute tables of reporting as mart_writer, one refresh at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Self

from analytics_api.store.faults import translated
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.migrate import require_schema
from loanbook.postgres.pool import Connection, Pool, create_pool

Statement = tuple[str, tuple[Any, ...]]  # name of the SQL file, arguments


class PostgresMartStore:
    """A connection that acts as mart_writer; raises StoreAwayError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str) -> Self:
        """Connect and check the schema; raises FatalError, StoreAwayError."""
        with translated():
            pool = await create_pool(dsn, "mart_writer", size_max=2)
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

    async def note_refresh(self, mart: str, at: datetime, took_ms: int) -> None:
        """Note when a table was made, and how long that took."""
        async with self._transaction() as connection:
            await connection.execute(_sql("note_refresh"), mart, at, took_ms)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection


def _sql(name: str) -> str:
    return load_sql("analytics_api", name)
