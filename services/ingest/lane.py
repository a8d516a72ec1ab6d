"""A lane: takes what waits, applies it in one transaction, and knows what to do when that fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import structlog

from ingest import metrics
from ingest.cache import LoanCache
from ingest.flow import LoanStore, record_batch
from ingest.inbox import Inbox
from ingest.numbering import Numbered
from ingest.records import BatchOutcome, Record, Rejection
from ingest.segments import Segment
from loanbook.postgres.fates import RETRYABLE, Fate, fate_of

log = structlog.get_logger()
_FIRST_WAIT = timedelta(milliseconds=50)


@dataclass(slots=True, kw_only=True)
class Lane:
    """One stream of transactions."""

    store: LoanStore
    inbox: Inbox
    cache: LoanCache
    batch_records: int
    few_records: int
    retry_wait_max: timedelta
    committed: Callable[[Sequence[Segment], BatchOutcome], Awaitable[None]]  # acks, wakes the relay
    waiting_reason: str | None = field(default=None)
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)  # held while a transaction runs

    async def run(self) -> None:
        """Apply batch after batch until cancelled; a fatal error ends the worker."""
        while True:
            segments = await self.inbox.take(self.batch_records, self.few_records)
            async with self.busy:
                # Held before anything is applied: what follows a barrier must not overtake the flip.
                await self.inbox.hold(s.partition for s in segments if s.barrier is not None)
                await self.apply(segments)
            await self.inbox.done(segments)

    async def apply(self, segments: Sequence[Segment]) -> None:
        """Apply segments in one transaction, or in halves where one record does not fit."""
        try:
            outcome = await self._patiently(segments)
        except RETRYABLE as error:
            if fate_of(error) is not Fate.BISECT:
                raise
            first, second = halves(segments)
            if not second:
                await self.apply([_buried(first[0], error)])
                return
            await self.apply(first)
            await self.apply(second)
            return
        self._count(segments, outcome)
        await self.committed(segments, outcome)

    async def _patiently(self, segments: Sequence[Segment]) -> BatchOutcome:
        wait = _FIRST_WAIT
        while True:
            try:
                started = time.perf_counter()
                outcome = await record_batch(segments, self.store, self.cache)
            except RETRYABLE as error:
                if fate_of(error) is not Fate.RETRY:
                    raise
                self.waiting_reason = f"database: {type(error).__name__}: {error}"
                log.warning("transaction_retried", error=str(error), wait_s=wait.total_seconds())
                metrics.RETRIES.inc()
                await asyncio.sleep(wait.total_seconds())
                wait = min(wait * 2, self.retry_wait_max)
            else:
                self.waiting_reason = None
                metrics.TRANSACTION_SECONDS.observe(time.perf_counter() - started)
                return outcome

    def _count(self, segments: Sequence[Segment], outcome: BatchOutcome) -> None:
        metrics.EVENTS.labels("applied").inc(outcome.applied)
        metrics.EVENTS.labels("duplicate").inc(outcome.duplicates)
        metrics.EVENTS.labels("conflict").inc(outcome.conflicts)
        metrics.EVENTS.labels("dead").inc(outcome.dead)
        metrics.LOANS_FOLDED.inc(outcome.loans)
        metrics.BATCH_RECORDS.observe(sum(len(segment.records) for segment in segments))
        metrics.WAITING_RECORDS.set(self.inbox.records)
        newest = max((s.records.entry(-1)[0] for s in segments if s.records), default=0)
        if newest:
            metrics.EVENT_LATENCY_SECONDS.observe(max(0.0, time.time() - newest / 1000))


def halves(segments: Sequence[Segment]) -> tuple[list[Segment], list[Segment]]:
    """Cut a batch in two with the same records in the same order; the second is empty for one record."""
    total = sum(len(segment.records) for segment in segments)
    if total <= 1:
        return list(segments), []
    first: list[Segment] = []
    room = total // 2
    for index, segment in enumerate(segments):
        if len(segment.records) > room:
            head, tail = _split(segment, room)
            return [*first, *head], [*tail, *segments[index + 1 :]]
        first.append(segment)
        room -= len(segment.records)
    return first, []


def _split(segment: Segment, count: int) -> tuple[list[Segment], list[Segment]]:
    if not count:
        return [], [segment]
    border = segment.records[count - 1].offset + 1
    head = replace(segment, next_offset=border, records=segment.records[:count])
    return [head], [replace(segment, from_offset=border, records=segment.records[count:])]


def _buried(segment: Segment, error: BaseException) -> Segment:
    rejection = Rejection(f"the database refused it: {error}"[:500], None)
    records = Numbered.of([_as_rejected(record, rejection) for record in segment.records])
    return replace(segment, records=records)


def _as_rejected(record: Record, rejection: Rejection) -> Record:
    return msgspec.structs.replace(record, value=rejection)
