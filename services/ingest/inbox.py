"""Decoded segments waiting for a transaction, by partition; bounded by records, held at day barriers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from ingest.records import Segment
from loanbook.kafka.batches import Partition


class Inbox:
    """What a lane has not yet applied; a held partition keeps its segments until released."""

    def __init__(self, records_max: int) -> None:
        self._records_max = records_max
        self._records = 0
        self._waiting: dict[Partition, deque[Segment]] = {}
        self._held: set[Partition] = set()
        self._changed = asyncio.Condition()

    async def put(self, segments: Iterable[Segment]) -> None:
        """Add segments of one partition; waits while the inbox is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._records < self._records_max)
            for segment in segments:
                self._waiting.setdefault(segment.partition, deque()).append(segment)
                self._records += len(segment.records)
            self._changed.notify_all()

    async def take(self, records_max: int) -> list[Segment]:
        """Segments for the next transaction, at most one barrier a partition; waits until there are some."""
        async with self._changed:
            await self._changed.wait_for(self._ready)
            taken: list[Segment] = []
            size = 0
            for partition, queue in self._waiting.items():
                while queue and partition not in self._held and size < records_max:
                    segment = queue.popleft()
                    taken.append(segment)
                    size += len(segment.records)
                    if segment.barrier is not None:
                        break
            self._records -= size
            self._changed.notify_all()
            return taken

    async def hold(self, partitions: Iterable[Partition]) -> None:
        """Keep these partitions back until released."""
        async with self._changed:
            self._held.update(partitions)

    async def release(self, partitions: Iterable[Partition]) -> None:
        """Let these partitions go on."""
        async with self._changed:
            self._held.difference_update(partitions)
            self._changed.notify_all()

    async def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget what waits of these partitions: they went to another worker, or come again."""
        async with self._changed:
            for partition in partitions:
                for segment in self._waiting.pop(partition, ()):
                    self._records -= len(segment.records)
                self._held.discard(partition)
            self._changed.notify_all()

    @property
    def records(self) -> int:
        """Records that wait."""
        return self._records

    def _ready(self) -> bool:
        return any(queue and partition not in self._held for partition, queue in self._waiting.items())
