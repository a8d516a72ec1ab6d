"""A handler that keeps positions in memory and all it was handed, for workers in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.kafka.settings import KafkaSettings
from loanbook.kafka.worker import BatchWorker


class Recorder:
    """Acks what it is handed at once, unless told otherwise."""

    def __init__(self, positions: Mapping[Partition, int | None] | None = None) -> None:
        self.waiting_reason: str | None = None
        self.positions = dict(positions or {})
        self.deliveries = 0
        self.batches: list[RecordBatch] = []
        self.calls: list[tuple[str, frozenset[Partition]]] = []
        self.acks = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.worker: BatchWorker

    async def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
        self.calls.append(("assigned", partitions))
        return {partition: self.positions.get(partition) for partition in partitions}

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self.calls.append(("revoked", partitions))

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        self.deliveries += 1
        self.batches += batches
        await self.gate.wait()
        for batch in batches:
            if self.acks and self.worker.is_current(batch):
                self.positions[batch.partition] = batch.next_offset
                self.worker.ack(batch)

    def values(self, partition: Partition) -> list[bytes]:
        """Return what was handed over of a partition, in that order."""
        found = [batch for batch in self.batches if batch.partition == partition]
        return [record.value or b"" for batch in found for record in batch.records]


def quick_settings(bootstrap_servers: str, **changes: Any) -> KafkaSettings:
    """Return settings with short times."""
    quick: dict[str, Any] = {
        "session_timeout": timedelta(seconds=6),
        "heartbeat_interval": timedelta(seconds=1),
        "commit_interval": timedelta(milliseconds=200),
    }
    return KafkaSettings(bootstrap_servers=bootstrap_servers, **(quick | changes))


@contextlib.asynccontextmanager
async def working(
    settings: KafkaSettings,
    handler: Recorder,
    topic: str,
    group: str = "",
    tasks: Sequence[Callable[[], Awaitable[None]]] = (),
) -> AsyncIterator[BatchWorker]:
    """Run a worker while the block runs and see it end in order."""
    worker = handler.worker = BatchWorker(settings, handler, [topic], group or f"group.{topic}", tasks=tasks)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        code = await running
    assert code == 0


async def until(happened: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait until something has happened; fail when it has not in time."""
    async with asyncio.timeout(within_s):
        while not happened():  # noqa: ASYNC110  a test looks, it is not told
            await asyncio.sleep(0.02)


async def until_caught_up(worker: BatchWorker, partitions: int, within_s: float = 20.0) -> None:
    """Wait until a worker has all these partitions and nothing left to do."""
    async with asyncio.timeout(within_s):
        while not await _caught_up(worker, partitions):  # noqa: ASYNC110  a test looks, it is not told
            await asyncio.sleep(0.05)


async def _caught_up(worker: BatchWorker, partitions: int) -> bool:
    states = (await worker.progress()).values()
    return len(worker.partitions()) >= partitions and all(state.caught_up for state in states)


async def make_topic(bootstrap_servers: str, partitions: int) -> str:
    """Make a topic of the test's own."""
    topic = f"batches.{uuid.uuid4().hex[:10]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()
    return topic


async def fill(bootstrap_servers: str, topic: str, partition: int, values: Sequence[bytes]) -> None:
    """Write records to one partition."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, linger_ms=5) as producer:
        sent = [await producer.send(topic, value, partition=partition) for value in values]
        await asyncio.gather(*sent)


async def committed_offset(bootstrap_servers: str, group: str, partition: Partition) -> int | None:
    """Return what Kafka believes a group has done."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, group_id=group) as consumer:
        offset: int | None = await consumer.committed(TopicPartition(partition.topic, partition.partition))
        return offset
