"""Has the flow make the writes of a run, and keeps them ready made: rows packed for COPY, and statements.

Reads are not kept, nor what failed and was taken back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from ingest.store import PostgresLoanStore
from tests.bench.book import LoggedEvent
from tests.feeding import Feed

BATCH_EVENTS = 5_000  # what a lane of a worker aims at
_COMMENT = re.compile(r"--[^\n]*")
_WRITES = re.compile(r"INSERT INTO|DELETE FROM|TRUNCATE|(?<!FOR )(?<!KEY )UPDATE core\.", re.IGNORECASE)
_MARKS = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Rows in COPY's binary form."""

    table: str
    schema: str | None
    columns: Sequence[str] | None
    rows: bytes

    async def write(self, connection: asyncpg.Connection) -> None:
        """Send them."""
        await connection.copy_to_table(
            self.table,
            source=memoryview(self.rows),
            schema_name=self.schema,
            columns=self.columns,
            format="binary",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement with its arguments."""

    sql: str
    arguments: tuple[Any, ...]

    async def write(self, connection: asyncpg.Connection) -> None:
        """Run it."""
        await connection.execute(self.sql, *self.arguments)


Part = dict[int, Sequence[tuple[bytes | None, bytes]]]  # records by partition
Batch = list[Copy | Statement]  # the writes of one transaction


async def recorded(
    dsn: str, cluster: str, events: Iterable[LoggedEvent], first: Sequence[int], lanes: int
) -> list[list[Batch]]:
    """The batches of each lane; a lane has its share of the partitions, which begin at `first`."""
    store = await PostgresLoanStore.open(dsn, cluster)
    pool = _RecordingPool(store._units)
    store._units = pool
    try:
        feed = Feed(store, next_offset=defaultdict(int, enumerate(first)))
        made: list[list[Batch]] = [[] for _ in range(lanes)]
        for number, part in _parts(events, lanes):
            await feed.send_raw(part)
            made[number].append(pool.taken())
        return made
    finally:
        await store.close()


def _parts(events: Iterable[LoggedEvent], lanes: int) -> Iterator[tuple[int, Part]]:
    waiting: list[list[LoggedEvent]] = [[] for _ in range(lanes)]
    for event in events:
        lane = event.partition % lanes
        waiting[lane].append(event)
        if len(waiting[lane]) == BATCH_EVENTS:
            yield lane, _by_partition(waiting[lane])
            waiting[lane] = []
    yield from ((lane, _by_partition(rest)) for lane, rest in enumerate(waiting) if rest)


def _by_partition(events: Iterable[LoggedEvent]) -> Part:
    part: dict[int, list[tuple[bytes | None, bytes]]] = defaultdict(list)
    for event in events:
        part[event.partition].append((event.key, event.value))
    return dict(part)


@dataclass(slots=True)
class _RecordingPool:
    pool: Any
    batch: Batch = field(default_factory=list)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[_Recorder]:
        async with self.pool.acquire() as connection:
            yield _Recorder(connection, self.batch)

    def taken(self) -> Batch:
        """What was written since the last time."""
        batch = list(self.batch)
        self.batch.clear()
        return batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pool, name)


class _Recorder:
    """A connection that keeps what it is told to write."""

    def __init__(self, connection: asyncpg.Connection, batch: Batch) -> None:
        self._connection, self._batch = connection, batch
        self._mark = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, sql: str, *arguments: Any) -> Any:
        """Run a statement, and keep it; a savepoint's end takes back what was kept since."""
        done = await self._connection.execute(sql, *arguments)
        if sql.startswith("SAVEPOINT"):
            self._mark = len(self._batch)
        elif sql.startswith("ROLLBACK TO"):
            del self._batch[self._mark :]
        elif not sql.startswith(_MARKS):
            self._keep(sql, arguments)
        return done

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        """Run a query, and keep it if it writes."""
        rows = await self._connection.fetch(sql, *arguments)
        self._keep(sql, arguments)
        return rows

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The same for one value."""
        value = await self._connection.fetchval(sql, *arguments)
        self._keep(sql, arguments)
        return value

    async def copy_to_table(
        self, table: str, *, source: Any, schema_name: str | None = None, columns: Any = None, **rest: Any
    ) -> Any:
        """Send rows that are packed, and keep them."""
        done = await self._connection.copy_to_table(
            table, source=source, schema_name=schema_name, columns=columns, **rest
        )
        self._batch.append(Copy(table=table, schema=schema_name, columns=columns, rows=bytes(source)))
        return done

    async def copy_records_to_table(
        self, table: str, *, records: Any, schema_name: str | None = None, columns: Any = None
    ) -> Any:
        """Pack rows, send and keep them."""
        name = f"{schema_name}.{table}" if schema_name else table
        await self._connection.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS packed_{table} AS SELECT * FROM {name} WITH NO DATA"
        )
        await self._connection.copy_records_to_table(f"packed_{table}", records=records, columns=columns)
        parts: list[bytes] = []

        async def keep(part: bytes) -> None:
            parts.append(bytes(part))

        query = f"SELECT {', '.join(columns) if columns else '*'} FROM packed_{table}"
        await self._connection.copy_from_query(query, output=keep, format="binary")
        await self._connection.execute(f"TRUNCATE packed_{table}")
        await self.copy_to_table(
            table,
            source=memoryview(b"".join(parts)),
            schema_name=schema_name,
            columns=columns,
            format="binary",
        )

    def _keep(self, sql: str, arguments: tuple[Any, ...]) -> None:
        if _WRITES.search(_COMMENT.sub("", sql)):
            self._batch.append(Statement(sql=sql, arguments=arguments))
