"""Whole-batch delivery inside Faust: one stream event for all records one fetch gave.

Faust's own consumer makes four asyncio tasks for each event. Group membership, rebalances, flow control,
agents and the commit timer stay Faust's; what is overridden here is how records become events, where a
partition is read from (the handler's store knows) and what is committed (what was acked). The private
methods named here are held to faust-streaming 0.15.3 by a contract test.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import structlog
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from loanbook.domain.errors import FatalError
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.kafka.fetching import LeanConsumer
from loanbook.kafka.tracker import DeliveryTracker

log = structlog.get_logger(__name__)

_FETCH_WAIT_S = 0.25  # how soon a partition that was resumed or sought is asked for
_IDLE_WAIT_S = 0.05
_COMMIT_TIMEOUT_S = 3.0
_MANY = 500  # records; what follows fewer is fetched when these have been taken
_LOG_APPEND_TIME = 1

_Answer = TypeVar("_Answer")


class BatchConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread; it alone touches the Kafka client, so cutting and seeking never interleave."""

    def _create_worker_consumer(self, transport: object) -> AIOKafkaConsumer:
        del transport
        return LeanConsumer(**self.app.consumer_options())

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109  Faust's signature
        max_records: int | None = None,
    ) -> dict[TP, RecordBatch]:
        try:
            fetched = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except NoOffsetForPartitionError:
            return {}  # a fetch that lasted through a rebalance met a partition not positioned yet
        except OffsetOutOfRangeError as error:
            lost = _positioned(error, self.app.tracker)
            if not lost:
                return {}  # likewise, at an offset that Kafka had committed
            raise FatalError(f"position outside the log: {lost}") from error
        # Nothing is awaited between the fetch and here: a seek comes either before both or after both.
        consumer._fetcher.reads_ahead = sum(map(len, fetched.values())) >= _MANY  # noqa: SLF001
        tracker: DeliveryTracker = self.app.tracker
        cut = {tp: tracker.cut(Partition(tp.topic, tp.partition), records) for tp, records in fetched.items()}
        return {tp: batch for tp, batch in cut.items() if batch is not None}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # Advisory, so a commit that fails is worth a line and no more: the next one says the same and newer.
        # The client itself would ask an absent broker for ever.
        consumer = self._ensure_consumer()
        mine = {TopicPartition(*tp): offset for tp, offset in offsets.items() if tp in self.assignment()}
        try:
            async with asyncio.timeout(_COMMIT_TIMEOUT_S):
                await consumer.commit(mine)
        except (KafkaError, TimeoutError) as error:
            log.warning("kafka_commit_failed", error=repr(error))
            return False
        return True

    async def start_at(self, positions: Mapping[Partition, int | None]) -> None:
        """Read these partitions from these offsets on, None meaning the log's start; runs in the thread."""
        consumer = self._ensure_consumer()
        open_ended = [_kafka_name(partition) for partition, offset in positions.items() if offset is None]
        starts = await consumer.beginning_offsets(open_ended) if open_ended else {}
        assigned = consumer.assignment()
        for partition, stored in positions.items():
            where = _kafka_name(partition)
            if where not in assigned:
                continue  # taken away meanwhile; whoever has it now asks the store
            offset = starts[where] if stored is None else stored
            consumer.seek(where, offset)
            self.app.tracker.position(partition, offset)

    async def where(self) -> dict[Partition, int | None]:
        """Return the position of each assigned partition, None before it is positioned; in the thread."""
        assigned = self._consumer.assignment() if self._consumer is not None else ()
        if not assigned:
            return {}
        assignment = self._consumer._subscription.subscription.assignment  # noqa: SLF001  never waits
        known = self.app.tracker.positioned()
        found: dict[Partition, int | None] = {}
        for where in assigned:
            partition, state = Partition(where.topic, where.partition), assignment.state_value(where)
            found[partition] = state.position if partition in known and state.has_valid_position else None
        return found

    async def ask(self, question: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Run a coroutine in the thread and return what it gives."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self.thread_loop))


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer, handing out whole batches of partitions that are positioned and not held."""

    def __post_init__(self) -> None:
        """Add our own state; Faust calls this at the end of its `__init__`."""
        self.held: set[Partition] = set()
        self._deliveries = itertools.count(1)
        self._was_small = False  # what was handed out last
        self.taken = asyncio.Event()  # set while the handler has nothing to take
        self.taken.set()

    def _new_consumer_thread(self) -> BatchConsumerThread:
        loop = uvloop.new_event_loop() if isinstance(self.loop, uvloop.Loop) else None
        return BatchConsumerThread(self, loop=self.loop, thread_loop=loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109
        """Yield one message with what a fetch gave, a batch for each partition that has records.

        The handler takes a few records before more are fetched; many are fetched ahead.
        """
        del timeout
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        if self._was_small and not await _is_set_soon(self.taken):
            return
        if self.should_stop:
            return
        tracker: DeliveryTracker = self.app.tracker
        fetchable = {TP(p.topic, p.partition) for p in tracker.positioned() - self.held}
        if not fetchable:
            await self.sleep(_IDLE_WAIT_S)
            return
        fetched = await self._getmany(fetchable, _IDLE_WAIT_S if self.held else _FETCH_WAIT_S)
        current = {tp: batch for tp, batch in fetched.items() if tracker.is_current(batch)}
        self._was_small = sum(map(len, current.values())) < _MANY
        if current:
            self.taken.clear()
            yield self._as_message(current)

    def _as_message(self, current: Mapping[TP, RecordBatch]) -> tuple[TP, ConsumerMessage]:
        # It goes under the name of one of its partitions: all have the same agent.
        # Faust drops a message whose offset is below the last one read, which is what a seek back brings.
        # So its offset is the number of the delivery; real offsets are the tracker's.
        tp, batch = next(iter(current.items()))
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            next(self._deliveries),
            batch.records[-1].timestamp / 1000,
            _LOG_APPEND_TIME,
            [],
            None,
            list(current.values()),
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        return tp, message

    def _filter_tps_with_pending_acks(self, topics: object = None) -> Iterator[TP]:
        del topics
        return (TP(p.topic, p.partition) for p in self.app.tracker.positioned())

    def _new_offset(self, tp: TP) -> int | None:
        offset: int | None = self.app.tracker.committable(Partition(tp.topic, tp.partition))
        return offset

    async def perform_seek(self) -> None:
        """Leave partitions where they are: they are positioned by the store once the flow is resumed."""

    def resume_flow(self) -> None:
        """Resume after a rebalance, with no partition positioned yet."""
        super().resume_flow()
        self.taken.set()  # what was not taken by now was thrown away
        self.app.listener.rebalanced()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop handing out, then let the handler finish; Kafka waits for it before others may read."""
        if self.app.stopping:
            return
        await self.app.listener.leaving()
        await super().on_partitions_revoked(revoked)
        self.held.clear()
        await self.app.listener.revoked(partitions_of(revoked))

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take an assignment; nothing of it is read before `resume_flow` had it positioned."""
        if self.app.stopping:
            return
        await self.app.listener.leaving()
        await super().on_partitions_assigned(assigned, generation_id)

    def on_buffer_full(self, tp: TP) -> None:
        """Keep the partition: the full queue itself holds the fetch loop back, for all partitions alike."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do not resume a partition that may be held."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Leave it to the watchdog."""


class IdleProducer(driver.Producer):  # type: ignore[misc]
    """Faust's producer, never connected: events leave through `EventProducer`."""

    async def on_start(self) -> None:
        """Connect to nothing."""

    async def on_stop(self) -> None:
        """Disconnect from nothing."""


class BatchTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the classes above."""

    Consumer = BatchConsumer
    Producer = IdleProducer


def partitions_of(names: Iterable[TP]) -> frozenset[Partition]:
    """Return our name for what Faust and aiokafka call so."""
    return frozenset(Partition(name.topic, name.partition) for name in names)


async def _is_set_soon(event: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_FETCH_WAIT_S):
            await event.wait()
    return event.is_set()


def _kafka_name(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition)


def _positioned(error: OffsetOutOfRangeError, tracker: DeliveryTracker) -> str:
    offsets = {Partition(tp.topic, tp.partition): offset for tp, offset in error.args[0].items()}
    return ", ".join(f"{p} at {offset}" for p, offset in offsets.items() if p in tracker.positioned())
