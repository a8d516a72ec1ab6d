"""Looks into partitions without belonging to a group: their range, a single record."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from loanbook.domain.errors import RetryableError
from loanbook.kafka.batches import Partition
from loanbook.kafka.settings import KafkaSettings, client_options

_TIMEOUT_S = 10.0


class LogReader:
    """A consumer for looking things up, open for as long as its `async with` block."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        """Connect; RetryableError when no broker answers."""
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
        )
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await consumer.start()
        except (KafkaError, TimeoutError, OSError) as error:
            await consumer.stop()
            raise _away(self._settings, error) from error
        self._consumer = consumer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def log_range(self, partition: Partition) -> tuple[int, int]:
        """Return the log's start and its last stable offset."""
        where = TopicPartition(partition.topic, partition.partition)
        consumer = self._opened()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                starts = await consumer.beginning_offsets([where])
                ends = await consumer.end_offsets([where])
        except (KafkaError, TimeoutError, OSError) as error:
            raise _away(self._settings, error) from error
        return starts[where], ends[where]

    async def read_record(self, partition: Partition, offset: int) -> ConsumerRecord | None:
        """Return the record at this very offset; None when none is there, or none that was committed."""
        start, end = await self.log_range(partition)
        if not start <= offset < end:
            return None
        where = TopicPartition(partition.topic, partition.partition)
        consumer = self._opened()
        consumer.assign([where])
        consumer.seek(where, offset)
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await _first_at(consumer, where, offset)
        except OffsetOutOfRangeError:
            return None
        except (KafkaError, TimeoutError, OSError) as error:
            raise _away(self._settings, error) from error

    def _opened(self) -> Any:  # noqa: ANN401  aiokafka publishes no types
        if self._consumer is None:
            msg = "a log reader is used inside `async with`"
            raise RuntimeError(msg)
        return self._consumer


async def cluster_id(settings: KafkaSettings) -> str:
    """Return the id of the Kafka cluster; RetryableError when no broker answers."""
    description = await _ask_admin(settings, "describe_cluster")
    return str(description["cluster_id"])


async def partition_counts(settings: KafkaSettings, topics: tuple[str, ...]) -> dict[str, int]:
    """Return how many partitions each of these topics has; 0 for one that does not exist."""
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


async def _first_at(consumer: Any, where: TopicPartition, offset: int) -> ConsumerRecord | None:  # noqa: ANN401
    # Markers and aborted records move the position without giving a record.
    while await consumer.position(where) <= offset:
        found = await consumer.getmany(where, timeout_ms=100, max_records=1)
        for record in found.get(where, ()):
            return record if record.offset == offset else None
    return None


def _away(settings: KafkaSettings, error: BaseException) -> RetryableError:
    return RetryableError(f"Kafka at {settings.bootstrap_servers} does not answer: {error!r}")
