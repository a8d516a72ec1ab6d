"""What travels between Kafka and a worker: whole partition batches, and who takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        """The way Kafka's own tools write it."""
        return f"{self.topic}-{self.partition}"


class LogRecord(Protocol):
    """A record of the log, as a client or a test gives it."""

    @property
    def offset(self) -> int:
        """Its place in its partition."""

    @property
    def timestamp(self) -> int:
        """When the broker took it, in milliseconds."""

    @property
    def key(self) -> bytes | None:
        """What decided its partition."""

    @property
    def value(self) -> bytes | None:
        """Its bytes."""


@dataclass(slots=True)
class RecordBatch:
    """Records of one partition, in the order of the log, as one fetch returned them.

    `from_offset` is where the batch before it ended, or where the partition was sought to; it is
    below the first record's offset when transaction markers or aborted records lie between.
    """

    partition: Partition
    from_offset: int
    next_offset: int
    records: Sequence[LogRecord]
    generation: int

    def __len__(self) -> int:
        """The number of records."""
        return len(self.records)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionProgress:
    """How far one partition has come; offsets are those of the next record."""

    position: int | None
    """Where the consumer stands, past markers and aborted records too; None before the first fetch."""
    last_stable_offset: int
    """The end of what may be read: the log's end but for open transactions."""
    queued: int
    """Records delivered, or waiting to be, and not yet acked."""

    @property
    def caught_up(self) -> bool:
        """Whether everything that may be read has been read and acked."""
        return self.position is not None and self.position >= self.last_stable_offset and not self.queued

    @property
    def lag(self) -> int:
        """Offsets not yet read plus records not yet acked."""
        return max(0, self.last_stable_offset - (self.position or 0)) + self.queued


class BatchHandler(Protocol):
    """What a worker does with its partitions; the store behind it owns the positions."""

    @property
    def waiting_reason(self) -> str | None:
        """Why nothing is acked although there is work (database away, day barrier), or None."""

    async def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
        """Return the stored next offset of each partition; None reads from the log's start.

        Called with the whole assignment after every rebalance. FatalError stops the worker.
        """

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Drop what is queued for these partitions and let the running transaction finish."""

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        """Take what one fetch gave; waiting here is back-pressure. An error raised here stops the worker.

        While this waits, batches that it has not come to may turn stale: `BatchWorker.is_current` tells.
        """
