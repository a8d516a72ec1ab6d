"""The Faust app both workers run in: whole batches in, acks after the database's commit."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import structlog
from aiokafka import ConsumerRecord

from loanbook.domain.errors import FatalError, LoanbookError, RetryableError
from loanbook.kafka.assignments import Assignments, DeliveryCounts
from loanbook.kafka.batches import BatchHandler, Partition, PartitionProgress, RecordBatch
from loanbook.kafka.failure import FirstFailure
from loanbook.kafka.faust_app import BatchApp
from loanbook.kafka.log_reader import LogReader, cluster_id, partition_counts
from loanbook.kafka.settings import KafkaSettings
from loanbook.kafka.stopping import HardStop, stop_signals
from loanbook.kafka.watchdog import Watchdog

log = structlog.get_logger(__name__)

_LOOK_S = 0.1


class BatchWorker:
    """Delivers whole partition batches of some topics to a handler until it is told to stop.

    It lives in one event loop, made by `uvloop.run`; one deliver runs at a time. Tasks run beside it: the
    end of one, by return or by error, is the end of the worker.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        handler: BatchHandler,
        topics: Sequence[str],
        group: str,
        *,
        tasks: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """Nothing connects before `run`."""
        self.counts = DeliveryCounts()
        self._settings = settings
        self._handler = handler
        self._topics = tuple(topics)
        self._group = group
        self._tasks = tuple(tasks)
        self._failure = FirstFailure()
        self._stop = asyncio.Event()
        self._assignments = Assignments(handler, self._failure, self.counts)
        self._cluster_id: str | None = None
        self._reader = LogReader(settings)

    def ack(self, batch: RecordBatch) -> None:
        """Say that a batch is committed in the database; Kafka hears of it later. A stale one is ignored."""
        self.counts.acks += self._assignments.app.tracker.ack(batch)

    def is_current(self, batch: RecordBatch) -> bool:
        """Whether its partition has been neither sought nor revoked since; a stale batch comes again."""
        return self._assignments.app.tracker.is_current(batch)

    async def seek(self, partition: Partition, offset: int) -> None:
        """Fetch again from here; batches of the partition that are under way are stale from now on."""
        self.counts.seeks += 1
        thread = self._assignments.app.consumer._thread  # noqa: SLF001  only the consumer's thread may seek
        await thread.ask(thread.start_at({partition: offset}))

    def pause(self, partition: Partition) -> None:
        """Fetch no more of this partition until `resume` or a rebalance; one batch may still be under way."""
        self._assignments.app.consumer.held.add(partition)

    def resume(self, partition: Partition) -> None:
        """Fetch this partition again."""
        self._assignments.app.consumer.held.discard(partition)

    def partitions(self) -> frozenset[Partition]:
        """Return the partitions that are assigned and positioned; none before `run` has come so far."""
        return self._assignments.app.tracker.positioned() if self._assignments.bound else frozenset()

    async def progress(self) -> Mapping[Partition, PartitionProgress]:
        """Return how far each assigned partition has come; RetryableError when Kafka does not say."""
        if not self._assignments.bound:
            return {}
        app = self._assignments.app
        thread = app.consumer._thread  # noqa: SLF001  only the consumer's thread may ask
        if not thread.thread_loop.is_running():
            return {}
        assigned = await thread.ask(thread.where())
        # The ends first: what was the end a moment ago and is reached now, has been reached.
        ends = await self._reader.last_stable_offsets(assigned)
        return {
            partition: PartitionProgress(
                position=position, last_stable_offset=ends[partition], queued=app.tracker.queued(partition)
            )
            for partition, position in (await thread.ask(thread.where())).items()
            if partition in ends
        }

    async def read_record(self, partition: Partition, offset: int) -> ConsumerRecord | None:
        """Return the record at this very offset, or None when there is none that may be read."""
        return await self._reader.read_record(partition, offset)

    async def log_range(self, partition: Partition) -> tuple[int, int]:
        """Return the log's start and its last stable offset."""
        return await self._reader.log_range(partition)

    async def cluster_id(self) -> str:
        """Return the id of the Kafka cluster; positions are keyed by it."""
        if self._cluster_id is None:
            self._cluster_id = await cluster_id(self._settings)
        return self._cluster_id

    def stop(self) -> None:
        """Ask for an orderly stop, as SIGTERM does."""
        self._stop.set()

    async def run(self) -> int:
        """Work until SIGTERM, SIGINT or `stop`; return 0 after an orderly stop, raise what ended it else.

        Past `stop_timeout` the process ends as it is, whatever hangs.
        """
        with stop_signals(self._stop), tempfile.TemporaryDirectory(prefix="loanpulse-faust-") as folder:
            await self._check_topics()
            if self._stop.is_set():
                return 0
            data_dir = str(self._settings.data_dir or folder)
            app = BatchApp(self._group, self._topics, self._settings, data_dir, self._assignments)
            self._assignments.bind(app)
            async with self._running(app) as hard_stop:
                await self._first(self._stop.wait(), self._failure.wait())
                hard_stop.arm()
                if self._failure.error is None and await self._finished(app):
                    hard_stop.work_is_done()
        if self._failure.error is not None:
            raise self._failure.error
        return 0

    @contextlib.asynccontextmanager
    async def _running(self, app: BatchApp) -> AsyncIterator[HardStop]:
        watchdog = Watchdog(
            limit=self._settings.stall_timeout,
            lag=self._lag,
            acks=lambda: self.counts.acks,
            waiting_reason=lambda: self._handler.waiting_reason,
        )
        jobs = [self._start_app(app), watchdog.run(), *(self._task(task) for task in self._tasks)]
        running = [asyncio.create_task(self._guarded(job)) for job in jobs]
        hard_stop = HardStop(self._settings.stop_timeout)
        try:
            yield hard_stop
        finally:
            hard_stop.arm()
            app.stopping = True
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            await app.stop()
            await self._reader.close()
            hard_stop.disarm()

    async def _start_app(self, app: BatchApp) -> None:
        await app.start()
        while not app.should_stop:  # noqa: ASYNC110  set from the consumer's thread, too
            await asyncio.sleep(_LOOK_S)
        reason = app.crash_reason
        if isinstance(reason, LoanbookError):
            raise reason
        raise FatalError(f"Faust stopped: {reason!r}") from reason

    async def _task(self, task: Callable[[], Awaitable[None]]) -> None:
        await task()
        raise FatalError(f"a task of the worker ended: {getattr(task, '__qualname__', task)!r}")

    async def _guarded(self, job: Awaitable[None]) -> None:
        with self._failure:
            await job

    async def _finished(self, app: BatchApp) -> bool:
        """Hand out nothing more, let the running transaction finish, tell Kafka how far it came."""
        partitions = self.partitions()
        app.stopping = True
        app.consumer.stop_flow()
        if partitions:
            with self._failure:
                await self._handler.revoked(partitions)
        await app.consumer.commit()
        return self._failure.error is None

    async def _check_topics(self) -> None:
        deadline = asyncio.get_running_loop().time() + self._settings.connect_timeout.total_seconds()
        while not self._stop.is_set():
            try:
                counts = await partition_counts(self._settings, self._topics)
            except RetryableError as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise FatalError(f"gave up waiting for a broker: {error}") from error
                log.warning("kafka_away", error=str(error))
                await asyncio.sleep(1)
                continue
            missing = [topic for topic in self._topics if not counts.get(topic)]
            if missing:
                raise FatalError(f"topics are missing, make them with `loanpulse topics create`: {missing}")
            return

    async def _lag(self) -> int | None:
        try:
            progress = await self.progress()
        except RetryableError:
            return None
        # What the handler holds or has left out is not late.
        held = self._assignments.app.consumer.held | self._assignments.left_out
        return sum(state.lag for partition, state in progress.items() if partition not in held)

    async def _first(self, *waits: Awaitable[object]) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
