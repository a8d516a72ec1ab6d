"""Watches how far the worker is: what waits in the log, and which day the book has reached."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import date

from ingest.commands.books import BookError, StoredBook, select_book
from loanbook.kafka.batches import Partition
from loanbook.kafka.log_reader import LogReader, cluster_id
from loanbook.kafka.settings import KafkaSettings
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Pool
from loanbook.topics import LOAN_EVENTS, SLICES

_PARTITIONS = tuple(Partition(LOAN_EVENTS, number) for number in range(SLICES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far all is: records applied and waiting, and the running business day."""

    applied: int
    waiting: int
    business_on: date
    at: float  # monotonic seconds


class Watch:
    """Asks Kafka for the log's ends and the database for what is applied."""

    def __init__(self, pool: Pool, kafka: KafkaSettings, book: str) -> None:
        """Nothing connects here."""
        self._pool = pool
        self._kafka = kafka
        self._reader = LogReader(kafka)
        self._cluster: str | None = None
        self._book = book

    async def close(self) -> None:
        """Disconnect from Kafka; the pool is the caller's."""
        await self._reader.close()

    async def reached(self) -> Reached:
        """How far all is now."""
        if self._cluster is None:
            self._cluster = await cluster_id(self._kafka)
        sql = load_sql("ingest.commands", "select_applied")
        rows = await self._pool.fetch(sql, self._cluster, LOAN_EVENTS)
        applied = {row["partition"]: row["next_offset"] for row in rows}
        ends = await self._reader.last_stable_offsets(_PARTITIONS)
        waiting = sum(max(0, end - applied.get(where.partition, 0)) for where, end in ends.items())
        stored = await self.book()
        return Reached(
            applied=sum(applied.values()),
            waiting=waiting,
            business_on=stored.business_on,
            at=time.monotonic(),
        )

    async def book(self) -> StoredBook:
        """The book as it stands."""
        stored = await select_book(self._pool, self._book)
        if stored is None:
            raise BookError(f"book {self._book!r} is gone")
        return stored


class Line:
    """One line that is written over on a terminal, and now and then a new one elsewhere."""

    def __init__(self, every_s: float = 5.0) -> None:
        self._terminal = sys.stdout.isatty()
        self._every_s = every_s
        self._last = float("-inf")

    def show(self, text: str) -> None:
        """Show the newest text."""
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", flush=True)
        elif time.monotonic() - self._last >= self._every_s:
            self._last = time.monotonic()
            print(text, flush=True)

    def leave(self, text: str) -> None:
        """Write a line that stays."""
        print(f"\r\x1b[K{text}" if self._terminal else text, flush=True)
