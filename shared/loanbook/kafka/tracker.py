"""What has been handed out of each partition, in which order, and what of it is acked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from loanbook.kafka.batches import LogRecord, Partition, RecordBatch


@dataclass(slots=True)
class _Span:
    """The offsets of one batch that was handed out."""

    next_offset: int
    records: int
    acked: bool = False


@dataclass(slots=True)
class _Track:
    """One partition since it was positioned."""

    generation: int
    next_offset: int
    committable: int | None = None
    queued: int = 0
    spans: deque[_Span] = field(default_factory=deque)


class DeliveryTracker:
    """Chains batches by their offsets and knows which of them still count.

    Positioning a partition starts a new generation of it: whatever was cut before is stale from then on,
    even while it is on its way. The consumer's thread cuts and positions, the event loop acks and drops.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tracks: dict[Partition, _Track] = {}
        self._generation = 0

    def position(self, partition: Partition, offset: int) -> None:
        """Say that the next record of this partition is sought from this offset."""
        with self._lock:
            self._generation += 1
            self._tracks[partition] = _Track(self._generation, offset)

    def drop(self, partitions: Iterable[Partition] | None = None) -> None:
        """Forget these partitions, or all: nothing of them is current until they are positioned again."""
        with self._lock:
            for partition in list(self._tracks) if partitions is None else partitions:
                self._tracks.pop(partition, None)

    def cut(self, partition: Partition, records: Sequence[LogRecord]) -> RecordBatch | None:
        """Make a batch of what was fetched; None when the partition is not positioned."""
        with self._lock:
            track = self._tracks.get(partition)
            if track is None:
                return None
            next_offset = records[-1].offset + 1
            batch = RecordBatch(partition, track.next_offset, next_offset, records, track.generation)
            track.next_offset = next_offset
            track.queued += len(records)
            track.spans.append(_Span(next_offset, len(records)))
            return batch

    def is_current(self, batch: RecordBatch) -> bool:
        """Whether the partition has not been sought or taken away since the batch was cut."""
        with self._lock:
            track = self._tracks.get(batch.partition)
            return track is not None and track.generation == batch.generation

    def ack(self, batch: RecordBatch) -> bool:
        """Mark a batch as done; False when it is stale."""
        with self._lock:
            track = self._tracks.get(batch.partition)
            if track is None or track.generation != batch.generation:
                return False
            for span in track.spans:
                if span.next_offset == batch.next_offset and not span.acked:
                    span.acked = True
                    track.queued -= span.records
                    break
            while track.spans and track.spans[0].acked:
                track.committable = track.spans.popleft().next_offset
            return True

    def committable(self, partition: Partition) -> int | None:
        """Return the offset below which everything is acked; None when nothing has been since positioning."""
        with self._lock:
            track = self._tracks.get(partition)
            return None if track is None else track.committable

    def queued(self, partition: Partition) -> int:
        """Return the number of records handed out and not acked."""
        with self._lock:
            track = self._tracks.get(partition)
            return 0 if track is None else track.queued

    def positioned(self) -> frozenset[Partition]:
        """Return the partitions that may be fetched."""
        with self._lock:
            return frozenset(self._tracks)
