"""Reads the figures as analytics_reader; a method for each file of SQL, a snapshot for each request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Self, TypeAlias

from analytics_api.metrics import OPERATIONS
from analytics_api.store.faults import translated
from analytics_api.store.queries import AlertQuery, LoanQuery, Selection
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.migrate import require_schema
from loanbook.postgres.pool import Connection, Pool, create_pool

Row: TypeAlias = Mapping[str, Any]
# What the story of a loan is read by, for a loan that is not there.
_OF_A_LOAN: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("fetch_scope", (None, None)),
    ("find_loan", (0, "")),
    ("fetch_loan", (0, 0)),
    ("fetch_loan_events", (0, 0)),
    ("fetch_authorities", (0,)),
    ("fetch_loan_alerts", (0, 0)),
    ("fetch_days", (None,)),
    ("fetch_freshness", (None,)),
)


def _sql(name: str) -> str:
    return load_sql("analytics_api", name)


class Reading:
    """One snapshot of the database; every figure of an answer comes from it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> Connection:
        """For reads that have a module of their own."""
        return self._connection

    async def fetch(self, name: str, *arguments: Any) -> list[Row]:  # noqa: ANN401 - whatever the query takes
        """The rows of a query of this service, by its name."""
        rows: list[Row] = await self._connection.fetch(_sql(name), *arguments)
        return rows

    async def fetch_scope(self, book: str | None, currency: str | None) -> list[Row]:
        """Books that may be meant, with the currency asked for."""
        return await self.fetch("fetch_scope", book, currency)

    async def fetch_cells_now(
        self, book_key: int, currency_key: int, selection: Selection, by: str
    ) -> list[Row]:
        """The live roll-up, by what is asked for."""
        return await self.fetch("fetch_cells_now", book_key, currency_key, *selection.keys(), by)

    async def fetch_cells_on(  # noqa: PLR0913 - the parameters of the query
        self,
        book_key: int,
        currency_key: int,
        selection: Selection,
        by: str,
        *,
        day: date,
        known_on: date | None,
    ) -> list[Row]:
        """The roll-up at the close of a past day."""
        keys = (book_key, currency_key, *selection.keys(), by, day, known_on)
        return await self.fetch("fetch_cells_on", *keys)

    async def fetch_last_close(self, book_key: int, day: date) -> date | None:
        """The latest day on or before a day that the book has closed."""
        found: date | None = await self._connection.fetchval(_sql("fetch_last_close"), book_key, day)
        return found

    async def fetch_restatement(self, book_key: int, day: date, known_on: date | None) -> Row:
        """Whether a closed day was told anew, and what is still to be told."""
        return (await self.fetch("fetch_restatement", book_key, day, known_on))[0]

    async def fetch_freshness(self, book: str | None) -> list[Row]:
        """How far each topic has been read."""
        return await self.fetch("fetch_freshness", book)

    async def fetch_days(self, book: str | None) -> list[Row]:
        """The running business day of each book."""
        return await self.fetch("fetch_days", book)

    async def count_fates(self) -> Row:
        """What became of all records received, of every book."""
        return (await self.fetch("count_fates"))[0]

    async def fetch_marts(self) -> list[Row]:
        """When each table of the refresh was last made."""
        return await self.fetch("fetch_marts")

    async def fetch_loans(
        self, query: LoanQuery, slices: Sequence[int], loan_keys: Sequence[int]
    ) -> list[Row]:
        """The loans of a page in its order, as they are now; those that no longer pass are left out."""
        return await self.fetch("fetch_loans", *query.filters(), slices, loan_keys)

    async def find_loan(self, book_key: int, loan_id: str) -> tuple[int, int] | None:
        """The slice and key of a loan."""
        row = await self._connection.fetchrow(_sql("find_loan"), book_key, loan_id)
        return (row["slice"], row["loan_key"]) if row else None

    async def fetch_loan(self, slice_: int, loan_key: int) -> Row:
        """All stored facts of one loan; what is read of it hereafter is planned for its slice, too."""
        await self._plan_each_time()
        return (await self.fetch("fetch_loan", slice_, loan_key))[0]

    async def fetch_loan_events(self, slice_: int, loan_key: int) -> list[Row]:
        """A loan's ledger rows."""
        return await self.fetch("fetch_loan_events", slice_, loan_key)

    async def fetch_ledgers(self, loans: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[Row]]:
        """The ledger rows of several loans, by slice and loan key."""
        ledgers: dict[tuple[int, int], list[Row]] = {loan: [] for loan in loans}
        for row in await self.fetch("fetch_ledgers", [s for s, _ in loans], [key for _, key in loans]):
            ledgers[row["slice"], row["loan_key"]].append(row)
        return ledgers

    async def sum_statements(self, book_key: int) -> list[Row]:
        """How far upstream's statements agree with our figures, by currency."""
        return await self.fetch("sum_statements", book_key)

    async def fetch_drifts(self, book_key: int, limit: int) -> list[Row]:
        """Loans of which upstream's latest statement and our figures differ, the worst first."""
        return await self.fetch("fetch_drifts", book_key, limit)

    async def fetch_uncompared(self, book_key: int, limit: int) -> list[Row]:
        """Loans with a statement that cannot be compared."""
        return await self.fetch("fetch_uncompared", book_key, limit)

    async def sum_buckets(self, book_key: int) -> list[Row]:
        """Active loans and principal by currency and bucket, stale loans apart."""
        return await self.fetch("sum_buckets", book_key)

    async def sum_stale(self, book_key: int) -> list[Row]:
        """Stale loans by currency and reason."""
        return await self.fetch("sum_stale", book_key)

    async def fetch_region(self, book_key: int, branch: str) -> str | None:
        """The region of a branch."""
        region: str | None = await self._connection.fetchval(_sql("fetch_region"), book_key, branch)
        return region

    async def fetch_authorities(self, book_key: int) -> dict[int, int]:
        """Source whose word counts, by event type."""
        rows = await self.fetch("fetch_authorities", book_key)
        return {row["type_key"]: row["source_key"] for row in rows}

    async def fetch_loan_alerts(self, slice_: int, loan_key: int) -> list[Row]:
        """A loan's alert episodes."""
        return await self.fetch("fetch_loan_alerts", slice_, loan_key)

    async def fetch_alerts(self, query: AlertQuery) -> list[Row]:
        """One page of alert episodes."""
        await self._plan_each_time()
        return await self.fetch(
            "fetch_alerts",
            query.book,
            query.open_only,
            query.rule,
            query.severity_min,
            query.branch,
            query.loan_id,
            query.baseline,
            query.limit,
            query.offset,
        )

    async def fetch_alert(self, episode_id: int) -> Row | None:
        """One alert episode."""
        row: Row | None = await self._connection.fetchrow(_sql("fetch_alert"), episode_id)
        return row

    async def acknowledge_alert(
        self, episode_id: int, *, by: str, note: str | None, useful: bool | None, at: datetime
    ) -> bool:
        """Whether the episode could be acknowledged."""
        done = await self._connection.fetchval(_sql("acknowledge_alert"), episode_id, by, note, useful, at)
        return done is not None

    async def fetch_unapplied(
        self,
        book_key: int,
        branches: Sequence[str] | None,
        reasons: Sequence[str] | None,
        page: tuple[int, int],
    ) -> list[Row]:
        """One page of the events that do not count; `page` is rows and rows to leave out."""
        return await self.fetch("fetch_unapplied", book_key, branches, reasons, *page)

    async def sum_unapplied(self, book_key: int, branches: Sequence[str] | None) -> list[Row]:
        """The events that do not count, by currency and reason."""
        return await self.fetch("sum_unapplied", book_key, branches)

    async def fetch_dead_letters(
        self, reason: str | None, page: tuple[int, int], *, waiting_only: bool
    ) -> list[Row]:
        """One page of the messages that could not be taken; `page` is rows and rows to leave out."""
        return await self.fetch("fetch_dead_letters", reason, waiting_only, *page)

    async def fetch_gauges(self) -> dict[str, list[Row]]:
        """The rows behind the business gauges, by query."""
        names = ("fetch_gauge_cells", "count_open_alerts", *sorted({gauge.query for gauge in OPERATIONS}))
        return {name: await self.fetch(name) for name in names}

    async def _plan_each_time(self) -> None:
        """A generic plan would keep the joins that an absent filter makes needless, and all slices."""
        await self._connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")


class PostgresAnalyticsStore:
    """A pool of connections that act as analytics_reader."""

    def __init__(self, pool: Pool, *, wait_for: timedelta) -> None:
        self._pool = pool
        self._wait_s = wait_for.total_seconds()

    @classmethod
    async def open(cls, dsn: str, *, size_max: int, statement_timeout: timedelta) -> Self:
        """Connect; raises OSError or an error of the server when it cannot."""
        milliseconds = round(statement_timeout.total_seconds() * 1000)
        pool = await create_pool(
            dsn,
            "analytics_reader",
            size_max=size_max,
            keep_session=True,
            settings={"statement_timeout": str(milliseconds)},
        )
        return cls(pool, wait_for=statement_timeout)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close()

    async def require_schema(self) -> None:
        """Refuse a database older than this code; raises FatalError, StoreAwayError."""
        async with self._connection() as connection:
            await require_schema(connection)

    async def warm_up(self) -> None:
        """Read a loan that is not there: a new connection's first reading takes five times as long."""
        async with self.reading() as reading:
            for name, arguments in _OF_A_LOAN:
                await reading.fetch(name, *arguments)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """One snapshot; raises StoreAwayError."""
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield Reading(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Reading]:
        """A transaction that may acknowledge; raises StoreAwayError."""
        async with self._connection() as connection, connection.transaction():
            yield Reading(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                yield connection


def decoded(value: str | None) -> Any:  # noqa: ANN401 - what stands in the jsonb
    """A jsonb column as Python values."""
    return None if value is None else json.loads(value)
