"""Runs the boards' queries as grafana_ro: read only, with a time limit, each at most once at a time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from analytics_api.board_viewer.macros import BoardQueryError
from loanbook.postgres.fates import LOST

ROWS_MAX = 5_000  # more is no picture
_KINDS = {
    "bool": "boolean",
    "int2": "number",
    "int4": "number",
    "int8": "number",
    "float4": "number",
    "float8": "number",
    "numeric": "number",
    "text": "string",
    "varchar": "string",
    "bpchar": "string",
    "name": "string",
    "timestamptz": "time",
    "timestamp": "time",
}
_SETTINGS = {
    "application_name": "loanpulse-boards",
    "role": "grafana_ro",
    "search_path": "reporting",
    "default_transaction_read_only": "on",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A query's answer: named columns with Grafana's field kinds, and rows; times are epoch milliseconds."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]


class BoardsAwayError(Exception):
    """The database does not answer."""


class PostgresBoardStore:
    """A small pool of its own, and a cache of about a second, so that many viewers cost one query."""

    def __init__(self, pool: asyncpg.Pool, *, cache_for: timedelta, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._cache_s = cache_for.total_seconds()
        self._clock = clock
        self._running: dict[str, tuple[float, asyncio.Task[Frame]]] = {}

    @classmethod
    async def open(
        cls, dsn: str, *, statement_timeout: timedelta, cache_for: timedelta, size_max: int
    ) -> PostgresBoardStore:
        """Connects lazily, so that the page can say that the database is away."""
        milliseconds = round(statement_timeout.total_seconds() * 1000)
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size_max,
            server_settings=_SETTINGS | {"statement_timeout": str(milliseconds)},
        )
        return cls(pool, cache_for=cache_for, clock=time.monotonic)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close()

    async def fetch_frame(self, sql: str) -> Frame:
        """Rows of one expanded query; raises BoardQueryError and BoardsAwayError."""
        now = self._clock()
        self._forget(now)
        started, task = self._running.get(sql, (now, None))
        if task is None:
            task = asyncio.create_task(self._run(sql))
            self._running[sql] = (started, task)
        return await asyncio.shield(task)

    def _forget(self, now: float) -> None:
        old = [sql for sql, (at, task) in self._running.items() if task.done() and now - at > self._cache_s]
        for sql in old:
            del self._running[sql]

    async def _run(self, sql: str) -> Frame:
        try:
            async with self._pool.acquire(timeout=5) as connection:
                statement = await connection.prepare(sql)
                rows = await statement.fetch(timeout=30)
                return _frame(statement.get_attributes(), rows)
        except (*LOST, asyncpg.PostgresConnectionError) as error:
            raise BoardsAwayError(str(error)) from error
        except (
            asyncpg.CannotConnectNowError,
            asyncpg.TooManyConnectionsError,
            asyncpg.AdminShutdownError,
        ) as error:
            raise BoardsAwayError(str(error)) from error
        except asyncpg.PostgresError as error:
            raise BoardQueryError(f"{error.sqlstate}: {error}") from error


def _frame(attributes: tuple[asyncpg.Attribute, ...], rows: list[asyncpg.Record]) -> Frame:
    columns = tuple((attribute.name, _kind(attribute)) for attribute in attributes)
    if len(rows) > ROWS_MAX:
        msg = f"{len(rows)} rows: a panel may have {ROWS_MAX}"
        raise BoardQueryError(msg)
    return Frame(columns=columns, rows=tuple(tuple(map(_plain, row)) for row in rows))


def _kind(attribute: asyncpg.Attribute) -> str:
    kind = _KINDS.get(attribute.type.name)
    if kind is None:
        msg = f"column {attribute.name}: Grafana has no field for the type {attribute.type.name}"
        raise BoardQueryError(msg)
    return kind


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    if isinstance(value, Decimal):  # to be drawn, not to be reckoned with
        return float(value) if value.is_finite() else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
