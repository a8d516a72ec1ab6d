"""Reads what has come into topics since a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from loanbook.topics import TOPICS


@dataclass
class Log:
    """All partitions of some topics, from where they ended at first."""

    consumer: AIOKafkaConsumer
    starts: dict[TopicPartition, int]

    async def records(self) -> list[ConsumerRecord]:
        """Everything that has come in since the start, by topic, partition and offset."""
        ends = await self.consumer.end_offsets(list(self.starts))
        found: list[ConsumerRecord] = []
        for where, start in self.starts.items():
            self.consumer.seek(where, start)
        while any([await self.consumer.position(where) < ends[where] for where in self.starts]):
            for batch in (await self.consumer.getmany(timeout_ms=200)).values():
                found += batch
        return sorted(found, key=lambda record: (record.topic, record.partition, record.offset))


@asynccontextmanager
async def log_of(bootstrap_servers: str, topics: Sequence[str]) -> AsyncIterator[Log]:
    """The log of these topics from now on."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    try:
        counts = {spec.name: spec.partitions for spec in TOPICS}
        wanted = [TopicPartition(topic, number) for topic in topics for number in range(counts[topic])]
        consumer.assign(wanted)
        yield Log(consumer, dict(await consumer.end_offsets(wanted)))
    finally:
        await consumer.stop()
