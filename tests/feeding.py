"""Feeds encoded events to the ingest flow without Kafka: a log of partitions in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count

import asyncpg

from ingest.cache import LoanCache
from ingest.day_roll import flip, sweep
from ingest.decoding import cut, decode_records
from ingest.flow import record_batch
from ingest.merging import merge_rollups
from ingest.records import BatchOutcome
from ingest.restate_sweep import restate_some
from ingest.segments import Segment
from ingest.store import PostgresLoanStore
from loanbook import wire
from loanbook.domain.events import DayClosed, Fact
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.topics import LOAN_EVENTS, SLICES, slice_of

CLUSTER = "test-cluster"
_ids = count(1)


@dataclass(frozen=True)
class LogRecord:
    """What a test needs of a Kafka record."""

    offset: int
    key: bytes | None
    value: bytes
    timestamp: int = 0


def encoded(  # noqa: PLR0913 - the attributes of an event
    loan_id: str,
    fact: Fact,
    *,
    book: str = "demo",
    event_id: str | None = None,
    source: str = "core-banking",
    recorded_at: datetime | None = None,
    sequence: int | None = None,
) -> tuple[str, bytes]:
    """A loan event as (key, CloudEvents bytes); ids are made up where none is given."""
    at = recorded_at or datetime(
        fact.business_on.year, fact.business_on.month, fact.business_on.day, 12, tzinfo=UTC
    )
    data = wire.encode(
        fact,
        book=book,
        subject=loan_id,
        source=source,
        event_id=event_id or f"e{next(_ids)}",
        recorded_at=at,
        sequence=sequence,
    )
    return loan_id, data


def day_closed(day: date, book: str = "demo") -> bytes:
    """The end of a business day, as CloudEvents bytes."""
    return wire.encode(
        DayClosed(business_on=day),
        book=book,
        subject=book,
        source="core-banking",
        event_id=f"day-{day}",
        recorded_at=datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC),
    )


@dataclass
class Feed:
    """Writes to partitions of an in-memory log and lets the flow apply them."""

    store: PostgresLoanStore
    cache: LoanCache = field(default_factory=lambda: LoanCache(100_000))
    next_offset: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    async def open(self) -> None:
        """Make the positions, as an assignment would."""
        await self.store.insert_positions({Partition(LOAN_EVENTS, n): 0 for n in range(SLICES)}, "test")

    async def send(self, events: Iterable[tuple[str, bytes]]) -> BatchOutcome:
        """Apply loan events as one batch."""
        by_partition: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
        for loan_id, data in events:
            by_partition[slice_of(loan_id)].append((loan_id, data))
        return await self.send_raw(
            {n: [(key.encode(), data) for key, data in items] for n, items in by_partition.items()}
        )

    async def send_raw(self, by_partition: dict[int, Sequence[tuple[bytes | None, bytes]]]) -> BatchOutcome:
        """Apply raw records as one batch."""
        segments: list[Segment] = []
        for number, items in by_partition.items():
            batch = self.batch(number, items)
            records = decode_records([(batch.partition, record) for record in batch.records])
            segments += cut(batch, records)
        return await record_batch(segments, self.store, self.cache)

    def batch(self, number: int, items: Sequence[tuple[bytes | None, bytes]]) -> RecordBatch:
        """The next records of a partition as Kafka would hand them over."""
        start = self.next_offset[number]
        records = [LogRecord(start + i, key, value) for i, (key, value) in enumerate(items)]
        self.next_offset[number] = start + len(records)
        return RecordBatch(Partition(LOAN_EVENTS, number), start, start + len(records), records, 1)

    async def close_day(self, day: date, book: str = "demo") -> None:
        """Close a day in every partition, flip and sweep until nothing is left to do, and merge."""
        await self.send_raw({n: [(None, day_closed(day, book))] for n in range(SLICES)})
        await self.roll()
        await merge_rollups(self.store.pool)

    async def restate(self) -> int:
        """Tell past days anew until nothing is left to tell; returns the loans told."""
        loans = 0
        while done := await restate_some(self.store):
            loans += done
        return loans

    async def roll(self) -> int:
        """Flip and sweep until nothing is left to do; returns the loans rolled."""
        loans = 0
        while True:
            swept = await sweep(self.store, self.cache)
            loans += swept.loans
            flipped = [await flip(self.store, key) for key in await self.store.select_ready_books()]
            if not swept.slices and not any(flipped):
                return loans


async def add_book(dsn: str, book: str = "demo", *, business_on: date, currency: str = "EUR") -> None:
    """Make a book directly in the tables."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "INSERT INTO core.book (book, default_currency, opened_on, business_on) VALUES ($1, $2, $3, $3)",
            book,
            currency,
            business_on,
        )
    finally:
        await connection.close()


@asynccontextmanager
async def opened_feed(dsn: str, business_on: date) -> AsyncIterator[Feed]:
    """A worker's flow on an empty book that stands at a day."""
    await add_book(dsn, business_on=business_on)
    store = await PostgresLoanStore.open(dsn, CLUSTER)
    try:
        feed = Feed(store)
        await feed.open()
        yield feed
    finally:
        await store.close()
