"""Looks into partitions without belonging to a group: their range, a single record."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from loanbook.domain.errors import RetryableError
from loanbook.kafka.batches import Partition
from loanbook.kafka.settings import KafkaSettings, client_options

_TIMEOUT_S = 5.0


class LogReader:
    """A consumer of its own for looking things up; it connects at the first question.

    The group's consumer waits at the broker for new records, and a question on its connection waits with it.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._asking = asyncio.Lock()

    async def close(self) -> None:
        """Disconnect; the next question connects again."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def log_range(self, partition: Partition) -> tuple[int, int]:
        """Return the log's start and its last stable offset; RetryableError when no broker answers."""
        async with self._connected() as consumer:
            return await _range(consumer, _kafka_name(partition))

    async def last_stable_offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """Return the ends of what may be read; RetryableError when no broker answers."""
        if not partitions:
            return {}
        async with self._connected() as consumer:
            ends = await consumer.end_offsets([_kafka_name(partition) for partition in partitions])
        return {Partition(where.topic, where.partition): end for where, end in ends.items()}

    async def read_record(self, partition: Partition, offset: int) -> ConsumerRecord | None:
        """Return the record at this very offset; None when none is there, or none that was committed."""
        where = _kafka_name(partition)
        async with self._connected() as consumer:
            start, end = await _range(consumer, where)
            if not start <= offset < end:
                return None
            consumer.assign([where])
            consumer.seek(where, offset)
            try:
                return await _first_at(consumer, where, offset)
            except OffsetOutOfRangeError:
                return None  # retention was quicker
            finally:
                consumer.unsubscribe()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        async with self._asking:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    if self._consumer is None:
                        self._consumer = await self._connect()
                    yield self._consumer
            except (KafkaError, TimeoutError, OSError) as error:
                raise _away(self._settings, error) from error

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer


async def cluster_id(settings: KafkaSettings) -> str:
    """Return the id of the Kafka cluster; RetryableError when no broker answers."""
    description = await _ask_admin(settings, "describe_cluster")
    return str(description["cluster_id"])


async def partition_counts(settings: KafkaSettings, topics: tuple[str, ...]) -> dict[str, int]:
    """Return how many partitions each of these topics has; a topic that does not exist is left out."""
    described = await _ask_admin(settings, "describe_topics", list(topics))
    return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}


async def _ask_admin(settings: KafkaSettings, question: str, *arguments: object) -> Any:  # noqa: ANN401
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await admin.start()
            return await getattr(admin, question)(*arguments)
    except (KafkaError, TimeoutError, OSError) as error:
        raise _away(settings, error) from error
    finally:
        await admin.close()


async def _range(consumer: Any, where: TopicPartition) -> tuple[int, int]:  # noqa: ANN401
    starts = await consumer.beginning_offsets([where])
    ends = await consumer.end_offsets([where])
    return starts[where], ends[where]


async def _first_at(consumer: Any, where: TopicPartition, offset: int) -> ConsumerRecord | None:  # noqa: ANN401
    # Markers and aborted records move the position without giving a record.
    while await consumer.position(where) <= offset:
        found = await consumer.getmany(where, timeout_ms=100, max_records=1)
        for record in found.get(where, ()):
            return record if record.offset == offset else None
    return None


def _kafka_name(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition)


def _away(settings: KafkaSettings, error: BaseException) -> RetryableError:
    return RetryableError(f"Kafka at {settings.bootstrap_servers} does not answer: {error!r}")
