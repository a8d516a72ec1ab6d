"""Decoded segments waiting for a transaction, by partition; bounded by records, held at day barriers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from time import monotonic

from ingest.segments import Segment
from loanbook.kafka.batches import Partition

_COMPANY_S = 0.05
_CALM_S = 1.0


class Inbox:
    """What the lanes have not yet applied; a held partition keeps its segments until released.

    Lanes share no partition at a time, so they never wait for each other's rows. A small batch costs nearly
    what a large one does: while little waits, it waits for the transaction that runs, and goes together.
    """

    def __init__(self, records_max: int) -> None:
        self._records_max = records_max
        self._records = 0
        self._came_at = -_CALM_S
        self._waiting: dict[Partition, deque[Segment]] = {}  # the longest waiting first
        self._held: set[Partition] = set()
        self._busy: set[Partition] = set()
        self._changed = asyncio.Condition()

    async def put(self, segments: Sequence[Segment]) -> None:
        """Add segments, those of a partition in their order; waits while the inbox is full of what may go on.

        What is held at a barrier does not count: the segments that lift the barrier must find room.
        """
        async with self._changed:
            await self._changed.wait_for(
                lambda: (
                    self._flowing() < self._records_max
                    or all(self.is_held(segment.partition) for segment in segments)
                )
            )
            self._came_at = monotonic()
            for segment in segments:
                self._waiting.setdefault(segment.partition, deque()).append(segment)
                self._records += len(segment.records)
            self._changed.notify_all()

    async def take(self, records_max: int, records_few: int = 0) -> list[Segment]:
        """Segments for the next transaction, at most one barrier a partition; waits until there are some.

        Up to `records_few` records wait a little for another lane's transaction to end. To be told `done`.
        """
        async with self._changed:
            while True:
                await self._changed.wait_for(lambda: any(self._free()))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_COMPANY_S):
                        await self._changed.wait_for(lambda: not self._busy or self._are_many(records_few))
                taken = list(self._take(records_max))
                if taken:
                    self._busy.update(segment.partition for segment in taken)
                    self._changed.notify_all()
                    return taken

    async def done(self, segments: Sequence[Segment]) -> None:
        """Let the partitions of what was taken be taken again."""
        async with self._changed:
            self._busy.difference_update(segment.partition for segment in segments)
            self._changed.notify_all()

    async def applied(self) -> None:
        """Wait until all that may go on is applied, but not long: it may wait for locked rows."""
        async with self._changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(_COMPANY_S):
                    await self._changed.wait_for(lambda: not self._busy and not any(self._free()))

    async def hold(self, partitions: Iterable[Partition]) -> None:
        """Keep these partitions back until released."""
        async with self._changed:
            self._held.update(partitions)
            self._changed.notify_all()

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

    def is_held(self, partition: Partition) -> bool:
        """Whether a partition is kept back."""
        return partition in self._held

    @property
    def is_calm(self) -> bool:
        """Whether nothing has come for a second."""
        return monotonic() - self._came_at >= _CALM_S

    @property
    def records(self) -> int:
        """Records that wait."""
        return self._records

    def _take(self, records_max: int) -> Iterator[Segment]:
        size = 0
        for partition in list(self._free()):
            queue = self._waiting[partition]
            while queue and size < records_max:
                segment = queue.popleft()
                size += len(segment.records)
                self._records -= len(segment.records)
                yield segment
                if segment.barrier is not None:
                    break
            if not queue:
                del self._waiting[partition]

    def _flowing(self) -> int:
        return self._records - sum(len(s.records) for p in self._held for s in self._waiting.get(p, ()))

    def _free(self) -> Iterator[Partition]:
        return (p for p in self._waiting if p not in self._held and p not in self._busy)

    def _are_many(self, records: int) -> bool:
        return sum(len(segment.records) for p in self._free() for segment in self._waiting[p]) > records
