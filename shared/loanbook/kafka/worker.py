"""The Faust app both workers run in: whole batches in, acks after the database's commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import ConsumerRecord

from loanbook.kafka.batches import BatchHandler, Partition, PartitionProgress, RecordBatch
from loanbook.kafka.settings import KafkaSettings


class BatchWorker:
    """Delivers whole partition batches of some topics to a handler until it is told to stop."""

    def __init__(
        self,
        settings: KafkaSettings,
        handler: BatchHandler,
        topics: Sequence[str],
        group: str,
        *,
        tasks: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._settings = settings
        self._handler = handler
        self._topics = tuple(topics)
        self._group = group
        self._tasks = tuple(tasks)

    def ack(self, batch: RecordBatch) -> None:
        """Say that a batch is committed in the database; Kafka hears of it later."""
        raise NotImplementedError

    async def seek(self, partition: Partition, offset: int) -> None:
        """Fetch again from here; batches of the partition that are under way are dropped."""
        raise NotImplementedError

    def pause(self, partition: Partition) -> None:
        """Fetch no more of this partition for now."""
        raise NotImplementedError

    def resume(self, partition: Partition) -> None:
        """Fetch this partition again."""
        raise NotImplementedError

    async def progress(self) -> Mapping[Partition, PartitionProgress]:
        """Return how far each assigned partition has come."""
        raise NotImplementedError

    async def read_record(self, partition: Partition, offset: int) -> ConsumerRecord | None:
        """Return the record at this very offset, or None when there is none that may be read."""
        raise NotImplementedError

    async def log_range(self, partition: Partition) -> tuple[int, int]:
        """Return the log's start and its last stable offset."""
        raise NotImplementedError

    async def cluster_id(self) -> str:
        """Return the id of the Kafka cluster; positions are keyed by it."""
        raise NotImplementedError

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT; return the exit code, 0 after an orderly stop."""
        raise NotImplementedError
