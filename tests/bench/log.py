"""Writes generated events to the topic: as fast as it goes, or so many a second, stamped at the send."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_lz4

from loanbook import wire
from loanbook.domain.events import DayClosed
from loanbook.topics import LOAN_EVENTS, SLICES
from tests.bench.book import BOOK, SOURCE, LoggedEvent, stamped

_CHUNK = 20_000
_TICK_S = 0.01
_TRANSACTION_MS = 600_000


@asynccontextmanager
async def producer(servers: str, transaction: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    """A producer of whole batches."""
    compression = "lz4" if has_lz4() else None
    made = AIOKafkaProducer(
        bootstrap_servers=servers,
        acks="all",
        max_batch_size=262_144,
        compression_type=compression,
        transactional_id=transaction,
        transaction_timeout_ms=_TRANSACTION_MS,
    )
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def fill(servers: str, events: Iterable[LoggedEvent], topic: str = LOAN_EVENTS) -> int:
    """Put events into a topic as fast as it takes them; returns how many."""
    async with producer(servers) as kafka:
        return await _send_all(kafka, events, topic)


@asynccontextmanager
async def unseen(servers: str, events: Iterable[LoggedEvent]) -> AsyncIterator[None]:
    """Put events into the topic; nobody who reads committed records sees one before the block ends."""
    async with producer(servers, uuid.uuid4().hex) as kafka, kafka.transaction():
        await _send_all(kafka, events)
        yield


async def paced(
    servers: str, events: Sequence[LoggedEvent], per_second: int, stamps: dict[bytes, bytes]
) -> float:
    """Send so many a second, stamped when each is due; returns by how many seconds the clock fell behind.

    A partition has one batch under way at a time: what becomes due meanwhile goes with the next. What is
    sent again says the time it said first, as `stamps` notes it.
    """
    behind, sent = 0.0, 0
    waiting: list[list[LoggedEvent]] = [[] for _ in range(SLICES)]
    async with producer(servers) as kafka, asyncio.TaskGroup() as tasks:
        started = time.perf_counter()
        sending: set[int] = set()
        while sent < len(events):
            due = min(len(events), int((time.perf_counter() - started) * per_second) + 1)
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
            for event in events[sent:due]:
                said = stamps.setdefault(event.value, stamp)
                waiting[event.partition].append(event._replace(value=stamped(event.value, said)))
            for number in {event.partition for event in events[sent:due]} - sending:
                sending.add(number)  # before the task begins, so that it stays the only one
                tasks.create_task(_send_waiting(kafka, waiting[number], number, sending))
            sent = due
            behind = max(behind, time.perf_counter() - started - sent / per_second)
            await asyncio.sleep(_TICK_S)
    return behind


async def _send_waiting(
    kafka: AIOKafkaProducer, waiting: list[LoggedEvent], number: int, sending: set[int]
) -> None:
    while waiting:
        batch = list(waiting)
        waiting.clear()
        await send(kafka, batch)
    sending.discard(number)


async def close_day(servers: str, day: date) -> None:
    """Write the end of a business day into every partition."""
    value = wire.encode(
        DayClosed(business_on=day),
        book=BOOK,
        subject=BOOK,
        source=SOURCE,
        event_id=f"day-{day}",
        recorded_at=datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC),
    )
    async with producer(servers) as kafka:
        await send(kafka, [LoggedEvent(number, BOOK.encode(), value) for number in range(SLICES)])


async def _send_all(kafka: AIOKafkaProducer, events: Iterable[LoggedEvent], topic: str = LOAN_EVENTS) -> int:
    count, rest = 0, iter(events)
    while chunk := list(islice(rest, _CHUNK)):
        count += await send(kafka, chunk, topic)
    return count


async def send(kafka: AIOKafkaProducer, events: Iterable[LoggedEvent], topic: str = LOAN_EVENTS) -> int:
    """Send events in order within a partition and wait until they are durable; returns how many."""
    by_partition: dict[int, list[LoggedEvent]] = defaultdict(list)
    for event in events:
        by_partition[event.partition].append(event)
    pending = []
    for number, group in by_partition.items():
        batch = kafka.create_batch()
        for event in group:
            if batch.append(key=event.key, value=event.value, timestamp=None) is None:
                pending.append(await kafka.send_batch(batch, topic, partition=number))
                batch = kafka.create_batch()
                batch.append(key=event.key, value=event.value, timestamp=None)
        pending.append(await kafka.send_batch(batch, topic, partition=number))
    await asyncio.gather(*pending)
    return sum(map(len, by_partition.values()))
