"""aiokafka's consumer with a fetcher that makes no objects of records and asks when somebody waits."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult

from loanbook.kafka.batches import LogRecord

_PART_WAIT_MS = 50  # how long the broker may wait for records of a part of the partitions


class LeanFetcher(Fetcher):  # type: ignore[misc]
    """aiokafka's fetcher, giving records as they were parsed, without a ConsumerRecord of each.

    After a small fetch it asks for no more until somebody waits for it: a fetch costs some milliseconds
    whatever is in it, so what comes meanwhile is better had at once.
    """

    reads_ahead = False
    _fetch_max_wait_ms: int

    def _create_fetch_waiter(self) -> asyncio.Future[None]:
        self._notify(self._wait_consume_future)
        waiter: asyncio.Future[None] = super()._create_fetch_waiter()
        return waiter

    def _get_actions_per_node(self, assignment: object) -> tuple[object, ...]:
        if not self.reads_ahead and not self._fetch_waiters:
            return [], {}, self._fetcher_timeout, False, []
        # Partitions of which records wait here, held back, are left out of the request, and as long as it is
        # under way none can be made for them once they are let go.
        patience = self._fetch_max_wait_ms
        if self._records:
            self._fetch_max_wait_ms = min(patience, _PART_WAIT_MS)
        try:
            actions: tuple[object, ...] = super()._get_actions_per_node(assignment)
        finally:
            self._fetch_max_wait_ms = patience
        return actions

    async def _proc_fetch_request(self, *request: object) -> bool:
        found: bool = await super()._proc_fetch_request(*request)
        for result in self._records.values():
            if isinstance(result, FetchResult) and result.has_more():
                result._partition_records._consumer_record = _as_parsed  # noqa: SLF001
        return found


class LeanConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer with the fetcher above."""

    async def start(self) -> None:
        """Connect."""
        await super().start()
        self._fetcher.__class__ = LeanFetcher  # `start` made it, with a dozen settings


def _as_parsed(_partition: TopicPartition, record: LogRecord) -> LogRecord:
    return record
