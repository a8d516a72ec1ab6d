"""Loans, positions and roll-ups in Postgres: one transaction a batch, whole sets a statement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta

from ingest.directory import PostgresDirectory
from ingest.records import Barrier, Position
from ingest.segments import Segment
from ingest.settings import CACHE_TERMS
from ingest.terms import TermsCache
from ingest.transaction import PostgresUnit
from loanbook.kafka.batches import Partition
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.migrate import require_schema
from loanbook.postgres.pool import Connection, Pool, create_pool
from loanbook.topics import SLICES

ROLE = "ingest_writer"
# A batch reads and writes loans by their keys. A stage has no statistics, and the planner would rather read
# a table of a million loans to join it. Left to itself it also plans for each batch anew, which costs a small
# one more than its rows; a plan made once must not read a table whole because it was small at the time.
_BY_KEY = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}


class PostgresLoanStore:
    """The store of one ingest worker for one Kafka cluster."""

    def __init__(  # noqa: PLR0913, PLR0917 - what `open` has made
        self,
        pool: Pool,
        units: Pool,
        directory: PostgresDirectory,
        cluster_id: str,
        terms: TermsCache,
        forgetting: list[Callable[[], None]],
    ) -> None:
        self.terms = terms
        self.forgetting = forgetting  # with every new connection, too: it may reach a restored database
        self._pool = pool
        self._units = units  # the connections of transactions on loans
        self._directory = directory
        self._cluster_id = cluster_id

    @classmethod
    async def open(cls, dsn: str, cluster_id: str, terms_max: int = CACHE_TERMS) -> PostgresLoanStore:
        """Connect as the ingest writer and read the names; the terms of so many loans are kept in memory."""
        terms = TermsCache(terms_max)

        forgetting = [terms.clear]

        async def make_ready(connection: Connection) -> None:
            for forget in forgetting:
                forget()
            await _make_stages(connection)

        pool = await create_pool(dsn, ROLE, init=_make_stages, keep_session=True)
        await require_schema(pool)
        directory = PostgresDirectory()
        async with pool.acquire() as connection:
            await directory.load(connection)
        units = await create_pool(dsn, ROLE, init=make_ready, keep_session=True, settings=_BY_KEY)
        return cls(pool, units, directory, cluster_id, terms, forgetting)

    async def close(self) -> None:
        """Close all connections."""
        await self._units.close()
        await self._pool.close()

    def forget(self) -> None:
        """Drop what is kept of loans in memory."""
        for forget in self.forgetting:
            forget()

    @property
    def pool(self) -> Pool:
        """Connections for all else: the flip, the merge, the relay, refolds."""
        return self._pool

    async def prepare(self, segments: Sequence[Segment]) -> None:
        """Make keys for names not met before, in a transaction of their own."""
        said = {words for segment in segments for words in segment.records.said}
        named = {name for segment in segments for name in segment.records.named}
        if self._directory.missing(said, named):
            async with self._pool.acquire() as connection:
                await self._directory.prepare(connection, said, named)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresUnit]:
        """Open one transaction; leaving it commits."""
        async with self._units.acquire() as connection, connection.transaction():
            yield PostgresUnit(connection, self._directory, self._cluster_id, self.terms)

    async def select_positions(self, partitions: Sequence[Partition]) -> dict[Partition, Position]:
        """Stored positions of these partitions; one without a row was never read."""
        rows = await self._pool.fetch(
            load_sql("ingest", "select_positions"), self._cluster_id, *_columns(partitions)
        )
        return {
            Partition(row["topic"], row["partition"]): Position(
                next_offset=row["next_offset"],
                fingerprint=row["fingerprint"],
                paused_reason=row["paused_reason"],
            )
            for row in rows
        }

    async def insert_positions(self, starts: Mapping[Partition, int], owner: str) -> None:
        """Make missing position rows at these offsets and note the new owner of all."""
        await self._pool.execute(
            load_sql("ingest", "insert_positions"),
            self._cluster_id,
            *_columns(list(starts)),
            list(starts.values()),
            [partition.partition % SLICES for partition in starts],
            owner,
        )

    async def mark_caught_up(self, partitions: Sequence[Partition]) -> None:
        """Note that nothing waits in these partitions now."""
        if partitions:
            await self._pool.execute(
                load_sql("ingest", "mark_caught_up"), self._cluster_id, *_columns(partitions)
            )

    async def trim_cash_minutes(self, kept: timedelta) -> None:
        """Forget payments by the minute that are older than this."""
        await self._pool.execute(load_sql("ingest", "trim_cash_minutes"), kept)

    async def pause_position(self, partition: Partition, reason: str) -> None:
        """Stop a partition until a person has looked; the reason survives restarts."""
        await self._pool.execute(
            load_sql("ingest", "pause_position"),
            self._cluster_id,
            partition.topic,
            partition.partition,
            reason,
        )

    async def select_ready_books(self) -> list[int]:
        """Keys of books whose running day every slice's log has closed."""
        rows = await self._pool.fetch(load_sql("ingest", "select_ready_books"))
        return [row["book_key"] for row in rows]

    async def select_business_days(self) -> dict[str, date]:
        """The running business day of every book."""
        rows = await self._pool.fetch(load_sql("ingest", "select_books"))
        return {row["book"]: row["business_on"] for row in rows}

    async def select_barriers(self) -> list[Barrier]:
        """Slices that stand at a day barrier: their logs go on when their books have flipped."""
        rows = await self._pool.fetch(load_sql("ingest", "select_barriers"))
        return [Barrier(**dict(row)) for row in rows]


async def _make_stages(connection: Connection) -> None:
    await connection.execute(load_sql("ingest", "make_stages"))


def _columns(partitions: Sequence[Partition]) -> tuple[list[str], list[int]]:
    return [p.topic for p in partitions], [p.partition for p in partitions]
