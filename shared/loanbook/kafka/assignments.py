"""Between Faust's rebalances and the handler: asks where to read from, says what is taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiokafka.errors import KafkaError

from loanbook.domain.errors import RetryableError
from loanbook.kafka.batches import BatchHandler, Partition, RecordBatch

if TYPE_CHECKING:
    from loanbook.kafka.failure import FirstFailure
    from loanbook.kafka.faust_app import BatchApp

log = structlog.get_logger(__name__)

_RETRY_PAUSE_S = 1.0


@dataclass(slots=True)
class DeliveryCounts:
    """What a worker has done since it started; its metrics are made of these."""

    rebalances: int = 0
    batches: int = 0
    records: int = 0
    stale_batches: int = 0
    seeks: int = 0
    acks: int = 0


class Assignments:
    """Keeps the calls to a handler in order: assigned, deliveries, revoked, and again assigned."""

    def __init__(self, handler: BatchHandler, failure: FirstFailure, counts: DeliveryCounts) -> None:
        self._handler = handler
        self._failure = failure
        self._counts = counts
        self._app: BatchApp | None = None
        self._positioning: asyncio.Task[None] | None = None
        self.left_out: frozenset[Partition] = frozenset()

    def bind(self, app: BatchApp) -> None:
        """Name the app whose partitions these are."""
        self._app = app

    @property
    def bound(self) -> bool:
        """Whether there is an app yet."""
        return self._app is not None

    @property
    def app(self) -> BatchApp:
        """The running app."""
        if self._app is None:
            msg = "the worker is not running"
            raise RuntimeError(msg)
        return self._app

    async def leaving(self) -> None:
        """Stop asking for positions and make everything stale that is on its way."""
        task, self._positioning = self._positioning, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self.app.tracker.drop()

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Let the handler drop and finish; Kafka gives it as long as the rebalance may take."""
        if not partitions:
            return
        limit = self.app.kafka.rebalance_timeout.total_seconds() * 0.8
        with self._failure:
            try:
                async with asyncio.timeout(limit):
                    await self._handler.revoked(partitions)
            except TimeoutError:
                # The store's lock on the position keeps two owners apart, so going on is safe.
                log.warning("revocation_not_finished", partitions=len(partitions), waited_s=limit)

    def rebalanced(self) -> None:
        """Ask the handler where the partitions of the new assignment stand."""
        self._counts.rebalances += 1
        self._positioning = asyncio.create_task(self._position(), name="position partitions")

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        """Hand over batches; after an error nothing more is handed over."""
        self._counts.batches += len(batches)
        self._counts.records += sum(map(len, batches))
        with self._failure:
            await self._handler.deliver(batches)
        if self._failure.error is not None:
            await asyncio.Event().wait()

    async def _position(self) -> None:
        with self._failure:
            while not await self._positioned():  # noqa: ASYNC110  tried again, not waited for
                await asyncio.sleep(_RETRY_PAUSE_S)

    async def _positioned(self) -> bool:
        app = self.app
        partitions = app.partitions()
        try:
            positions = await self._handler.assigned(partitions) if partitions else {}
            wanted = {partition: positions[partition] for partition in partitions & positions.keys()}
            thread = app.consumer._thread  # noqa: SLF001  only the consumer's thread may seek
            await thread.ask(thread.start_at(wanted))
        except (RetryableError, KafkaError) as error:
            log.warning("positions_not_known_yet", error=repr(error))
            return False
        self.left_out = partitions - wanted.keys()
        log.info("partitions_assigned", read=len(wanted), left_out=len(self.left_out))
        return True
