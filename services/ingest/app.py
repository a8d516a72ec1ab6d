"""The ingest worker: joins Kafka's batches, the flow, the store, the day roll and the relay."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import TypeVar

import structlog
import uvloop

from ingest import metrics
from ingest.breaker import DeadLetterBreaker
from ingest.cache import LoanCache
from ingest.day_markers import run_clock
from ingest.day_roll import DayRoll
from ingest.decoding import cut, decode_records, together
from ingest.inbox import Inbox
from ingest.lane import Lane
from ingest.merging import RollupMerge, give_room_back
from ingest.numbering import Numbered
from ingest.positions import take_over
from ingest.records import BatchOutcome
from ingest.relay import run_relay
from ingest.restate_sweep import run_restate_sweep
from ingest.segments import Segment
from ingest.settings import WorkerSettings
from ingest.store import PostgresLoanStore
from loanbook.collecting import collect_seldom, keep_freed_memory
from loanbook.domain.errors import RetryableError
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.kafka.health import Health, HealthServer
from loanbook.kafka.log_reader import cluster_id
from loanbook.kafka.producer import EventProducer
from loanbook.kafka.worker import BatchWorker
from loanbook.postgres.fates import RETRYABLE, Fate, fate_of
from loanbook.topics import BOOK_REFERENCE, BORROWER_PROFILES, LOAN_EVENTS

log = structlog.get_logger()
TOPICS = (LOAN_EVENTS, BORROWER_PROFILES, BOOK_REFERENCE)
_DECODE_SLICE = 1_000  # records decoded together, before other tasks get a turn
_CAUGHT_UP_EVERY_S = 2
_TRIM_EVERY_S = 3600
_MINUTES_KEPT = timedelta(days=8)
Result = TypeVar("Result")


class IngestWorker:
    """Takes batches into lanes; each lane applies them in transactions of its own."""

    def __init__(self, settings: WorkerSettings, store: PostgresLoanStore, producer: EventProducer) -> None:
        self.settings = settings
        self.store = store
        self.cache = LoanCache(settings.cache_events)
        store.forgetting.append(self.cache.clear)
        self.relay_wake = asyncio.Event()
        self.breaker = DeadLetterBreaker(settings.dead_share_max, settings.dead_window)
        self.inbox = Inbox(settings.inbox_records)
        self.day_roll = DayRoll(store, self.cache, self.inbox)
        self.merge = RollupMerge(store.pool, rows_max=settings.merge_rows, every=settings.merge_every)
        self._unacked: dict[Partition, list[RecordBatch]] = {}
        self._stopped: set[Partition] = set()
        self.lanes = [self._make_lane() for _ in range(settings.lanes)]
        self._producer = producer
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self.worker = BatchWorker(settings.kafka(), self, TOPICS, settings.group, tasks=self._tasks())

    @property
    def waiting_reason(self) -> str | None:
        """Why nothing is acked although there is work, or None."""
        reasons = [lane.waiting_reason for lane in self.lanes if lane.waiting_reason]
        return reasons[0] if reasons else self.day_roll.waiting_reason

    async def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
        """Take the partitions over at their stored positions, as soon as the database says them."""
        return await patiently(lambda: self._take_over(partitions), "take_over")

    async def _take_over(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
        self.store.forget()
        positions = await take_over(self.store, self.worker, partitions, self._owner)
        for barrier in await self.store.select_barriers():
            held = Partition(LOAN_EVENTS, barrier.slice)
            if held in partitions:
                await self.inbox.hold([held])
                self.day_roll.hold_until(held, barrier.book, barrier.business_on)
        for partition, position in positions.items():
            if position.paused_reason is not None:
                log.error("partition_is_paused", partition=str(partition), reason=position.paused_reason)
                await self._keep_back(partition)
        return {partition: position.next_offset for partition, position in positions.items()}

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Drop what waits; a transaction under way may finish, the positions keep it from counting twice."""
        await self.inbox.drop(partitions)
        for lane in self.lanes:
            async with lane.busy:
                pass
        self.day_roll.forget(partitions)
        for partition in partitions:
            self._unacked.pop(partition, None)
            self._stopped.discard(partition)

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        """Decode batches and put them into the inbox; waits while that is full of what may go on.

        A few records are applied before more are fetched: what comes meanwhile costs no fetch of its own.
        """
        for group in together(batches, _DECODE_SLICE):
            found = [(batch.partition, record) for batch in group for record in batch.records]
            parts = []
            for start in range(0, len(found), _DECODE_SLICE):
                await asyncio.sleep(0)
                parts.append(decode_records(found[start : start + _DECODE_SLICE]))
            await self._put(group, Numbered.joined(parts))
        if sum(map(len, batches)) < self.settings.few_records:
            await self.inbox.applied()

    async def _put(self, batches: Sequence[RecordBatch], records: Numbered) -> None:
        segments: list[Segment] = []
        ends = accumulate(map(len, batches))
        for batch, end in zip(batches, ends, strict=True):
            if self.worker.is_current(batch):  # else sought or taken away meanwhile; it comes again
                self._unacked.setdefault(batch.partition, []).append(batch)
                segments += cut(batch, records[end - len(batch) : end])
        await self.inbox.put(segments)
        for partition in {segment.partition for segment in segments}:
            if self.inbox.is_held(partition):
                self.worker.pause(partition)  # enough of it waits until it is released

    async def run(self) -> int:
        """Work until told to stop; returns the exit code."""
        return await self.worker.run()

    async def health(self) -> Health:
        """Unwell while the database is away; a day barrier is no illness."""
        reasons = [lane.waiting_reason for lane in self.lanes if lane.waiting_reason]
        details = {"day_roll": self.day_roll.waiting_reason, "inbox_records": self.inbox.records}
        return Health(reasons=tuple(reasons), details=details)

    def _make_lane(self) -> Lane:
        return Lane(
            store=self.store,
            inbox=self.inbox,
            cache=self.cache,
            batch_records=self.settings.batch_records,
            few_records=self.settings.few_records,
            retry_wait_max=self.settings.retry_wait_max,
            committed=self._committed,
        )

    def _tasks(self) -> Sequence[Callable[[], Awaitable[None]]]:
        return (
            *(lane.run for lane in self.lanes),
            lambda: forever(lambda: self.day_roll.run(self._release), "day_roll"),
            lambda: forever(lambda: run_relay(self.store, self._producer, self.relay_wake), "relay"),
            lambda: forever(lambda: run_restate_sweep(self.store), "restate_sweep"),
            lambda: forever(self.merge.run, "merge"),
            lambda: forever(self._watch_progress, "progress"),
            lambda: forever(self._trim, "trim"),
            lambda: forever(lambda: run_clock(self.store, self.relay_wake.set), "clock"),
        )

    async def _committed(self, segments: Sequence[Segment], outcome: BatchOutcome) -> None:
        self.relay_wake.set()
        for segment in segments:
            waiting = self._unacked.get(segment.partition, [])
            while waiting and waiting[0].next_offset <= segment.next_offset:
                self.worker.ack(waiting.pop(0))
        self.day_roll.hold(segments)
        for partition, position in outcome.refused:
            metrics.GAPS_REFUSED.inc()
            log.warning("gap_refused", partition=str(partition), position=position)
            await self._fetch_again(partition, position)
        for partition in {segment.partition for segment in segments}:
            records = sum(len(s.records) for s in segments if s.partition == partition)
            reason = self.breaker.note(partition, records, outcome.dead_by_partition[partition])
            if reason is not None:
                await self._stop_partition(partition, reason)

    async def _fetch_again(self, partition: Partition, position: int) -> None:
        await self.inbox.drop([partition])
        self._unacked.pop(partition, None)
        await self.worker.seek(partition, position)

    async def _stop_partition(self, partition: Partition, reason: str) -> None:
        log.error("partition_paused", partition=str(partition), reason=reason)
        metrics.PARTITIONS_PAUSED.inc()
        await self.store.pause_position(partition, reason)
        await self._keep_back(partition)

    async def _keep_back(self, partition: Partition) -> None:
        self._stopped.add(partition)
        await self.inbox.hold([partition])
        self.worker.pause(partition)

    async def _resume(self) -> None:
        """Go on where a person has lifted the stop, `loanpulse positions resume`."""
        positions = await self.store.select_positions(list(self._stopped)) if self._stopped else {}
        for partition in [p for p, position in positions.items() if position.paused_reason is None]:
            log.info("partition_resumed", partition=str(partition))
            self._stopped.discard(partition)
            if not self.day_roll.holds(partition):
                await self._release([partition])

    async def _release(self, partitions: Sequence[Partition]) -> None:
        free = [partition for partition in partitions if partition not in self._stopped]
        await self.inbox.release(free)
        for partition in free:
            self.worker.resume(partition)

    async def _watch_progress(self) -> None:
        while True:
            progress = await self.worker.progress()
            for partition, done in progress.items():
                metrics.LAG.labels(partition.topic, partition.partition).set(done.lag)
            quiet = [partition for partition, done in progress.items() if done.caught_up]
            await self.store.mark_caught_up(quiet)
            for partition in quiet:
                metrics.CAUGHT_UP_SECONDS.labels(partition.topic, partition.partition).set_to_current_time()
            await self._resume()
            await asyncio.sleep(_CAUGHT_UP_EVERY_S)

    async def _trim(self) -> None:
        while True:
            await self.store.trim_cash_minutes(_MINUTES_KEPT)
            await give_room_back(self.store.pool)
            await asyncio.sleep(_TRIM_EVERY_S)


async def forever(work: Callable[[], Awaitable[None]], name: str) -> None:
    """Run background work again after passing errors; others end the worker."""
    while True:
        await patiently(work, name)


def run_worker(settings: WorkerSettings) -> int:
    """Run one ingest worker until it is told to stop; returns the exit code."""
    collect_seldom()
    keep_freed_memory()
    code: int = uvloop.run(_run(settings))
    return code


async def _run(settings: WorkerSettings) -> int:
    cluster = await patiently(lambda: cluster_id(settings.kafka()), "kafka")
    address, terms_max = settings.database_url, settings.cache_terms
    store = await patiently(lambda: PostgresLoanStore.open(address, cluster, terms_max), "database")
    try:
        async with EventProducer(settings.kafka()) as producer:
            worker = IngestWorker(settings, store, producer)
            async with HealthServer(settings.worker_port, worker.health, host=settings.worker_host):
                return await worker.run()
    finally:
        await store.close()


async def patiently(work: Callable[[], Awaitable[Result]], name: str) -> Result:
    """Do it as soon as the parts allow; says each second that it waits."""
    while True:
        try:
            return await work()
        except (RetryableError, *RETRYABLE) as error:
            if not isinstance(error, RetryableError) and fate_of(error) is not Fate.RETRY:
                raise
            log.warning("background_retried", work=name, error=str(error))
            await asyncio.sleep(1)
