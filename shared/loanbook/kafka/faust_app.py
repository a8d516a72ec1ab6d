"""The Faust app that hands whole batches to a listener."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import faust
import mode
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.kafka.settings import KafkaSettings, client_options, milliseconds
from loanbook.kafka.tracker import DeliveryTracker
from loanbook.kafka.transport import BatchTransport, partitions_of

# A worker whose handler waits for the database fetches nothing and must not be put out of its group for it.
_MAX_POLL_INTERVAL = timedelta(days=7)


class Listener(Protocol):
    """Who hears of assignments and gets the batches."""

    async def leaving(self) -> None:
        """Hear that the assignment changes: nothing more is handed out."""

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Let go of these partitions."""

    def rebalanced(self) -> None:
        """Hear that the new assignment stands."""

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        """Take what one fetch gave."""


class BatchApp(faust.App):  # type: ignore[misc]
    """A Faust app of one agent on all its topics, without tables, acks, producer or web server."""

    def __init__(
        self, group: str, topics: Sequence[str], kafka: KafkaSettings, data_dir: str, listener: Listener
    ) -> None:
        self.kafka = kafka
        self.listener = listener
        self.tracker = DeliveryTracker()
        self.stopping = False
        super().__init__(group, **_app_options(kafka, data_dir))
        # With acks Faust would keep its own books, one entry an offset; the tracker keeps them by batch.
        raw = {"key_serializer": "raw", "value_serializer": "raw", "key_type": None, "value_type": None}
        source = self.topic(*topics, acks=False, **raw)

        async def hand_over(stream: faust.Stream) -> None:
            async for fetched in stream.noack():
                if current := [batch for batch in fetched if self.tracker.is_current(batch)]:
                    await self.listener.deliver(current)
                self.consumer.taken.set()

        self.agent(source, name=f"{group}.deliver")(hand_over)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_producer, self)

    def partitions(self) -> frozenset[Partition]:
        """Return the partitions this member of the group holds now."""
        return partitions_of(self.consumer.assignment())

    def consumer_options(self) -> dict[str, Any]:
        """Return what the group's consumer is made with."""
        kafka = self.kafka
        return {
            **client_options(kafka),
            "group_id": self.conf.id,
            "enable_auto_commit": False,
            # An offset outside the log is an error with a name, never a silent jump.
            "auto_offset_reset": "none",
            # Faust reads uncommitted records unless it runs transactions of its own.
            "isolation_level": "read_committed",
            "partition_assignment_strategy": [RoundRobinPartitionAssignor],
            "max_poll_records": kafka.max_poll_records,
            "max_partition_fetch_bytes": kafka.max_partition_fetch_bytes,
            "fetch_min_bytes": kafka.fetch_min_bytes,
            "fetch_max_wait_ms": milliseconds(kafka.fetch_max_wait),
            "session_timeout_ms": milliseconds(kafka.session_timeout),
            "heartbeat_interval_ms": milliseconds(kafka.heartbeat_interval),
            "rebalance_timeout_ms": milliseconds(kafka.rebalance_timeout),
            "max_poll_interval_ms": milliseconds(_MAX_POLL_INTERVAL),
        }


def _app_options(kafka: KafkaSettings, data_dir: str) -> dict[str, Any]:
    return {
        "broker": [f"kafka://{address.strip()}" for address in kafka.bootstrap_servers.split(",")],
        "datadir": data_dir,
        "store": "memory://",
        "autodiscover": False,
        "web_enabled": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "agent_supervisor": mode.CrashingSupervisor,
        "stream_buffer_maxsize": kafka.buffered_fetches,
        "stream_wait_empty": False,
        "broker_max_poll_records": kafka.max_poll_records,
        "broker_commit_interval": kafka.commit_interval.total_seconds(),
        "broker_session_timeout": kafka.session_timeout.total_seconds(),
        "broker_request_timeout": kafka.request_timeout.total_seconds(),
    }
