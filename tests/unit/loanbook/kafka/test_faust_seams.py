"""The private methods of Faust and aiokafka that batch delivery overrides or calls are as they were read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version

import faust
import mode
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.fetcher import Fetcher, PartitionRecords
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.producer.sender import Sender
from faust.agents.agent import Agent
from faust.tables.recovery import Recovery
from faust.transport import consumer as base
from faust.transport.conductor import ConductorCompiler
from faust.transport.drivers import aiokafka as driver
from mode.services import Service

from loanbook.kafka.faust_app import BatchApp
from loanbook.kafka.fetching import LeanFetcher
from loanbook.kafka.transport import (
    BatchConsumer,
    BatchConsumerThread,
    BatchTransport,
    IdleProducer,
)


def test_faust_is_the_version_that_was_read() -> None:
    assert version("faust-streaming") == "0.15.3"


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (driver.Consumer._new_consumer_thread, ["self"]),
        (driver.Consumer.getmany, ["self", "timeout"]),
        (driver.Consumer._getmany, ["self", "active_partitions", "timeout"]),
        (driver.Consumer._new_offset, ["self", "tp"]),
        (driver.Consumer._filter_tps_with_pending_acks, ["self", "topics"]),
        (driver.Consumer.perform_seek, ["self"]),
        (driver.Consumer.resume_flow, ["self"]),
        (driver.Consumer.stop_flow, ["self"]),
        (driver.Consumer.on_buffer_full, ["self", "tp"]),
        (driver.Consumer.on_buffer_drop, ["self", "tp"]),
        (driver.Consumer.verify_event_path, ["self", "now", "tp"]),
        (driver.Consumer.on_partitions_revoked, ["self", "revoked"]),
        (driver.Consumer.on_partitions_assigned, ["self", "assigned", "generation_id"]),
        (driver.Consumer.commit, ["self", "topics", "start_new_transaction"]),
        (driver.AIOKafkaConsumerThread._create_worker_consumer, ["self", "transport"]),
        (
            driver.AIOKafkaConsumerThread._fetch_records,
            ["self", "consumer", "active_partitions", "timeout", "max_records"],
        ),
        (driver.AIOKafkaConsumerThread._commit, ["self", "offsets"]),
        (driver.AIOKafkaConsumerThread._ensure_consumer, ["self"]),
        (driver.Producer.on_start, ["self"]),
        (driver.Producer.on_stop, ["self"]),
        (faust.App._new_transport, ["self"]),
        (faust.App._new_producer_transport, ["self"]),
        (Service.__post_init__, ["self"]),
        (Fetcher._proc_fetch_request, ["self", "assignment", "node_id", "request"]),
        (Fetcher._create_fetch_waiter, ["self"]),
        (Fetcher._get_actions_per_node, ["self", "assignment"]),
        (PartitionRecords._consumer_record, ["self", "tp", "record"]),
    ],
    ids=lambda value: value.__qualname__ if callable(value) else "",
)
def test_an_overridden_method_has_the_signature_we_override(
    method: Callable[..., object], parameters: list[str]
) -> None:
    assert list(inspect.signature(method).parameters) == parameters


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BatchConsumer, driver.Consumer),
        (LeanFetcher, Fetcher),
        (BatchConsumerThread, driver.AIOKafkaConsumerThread),
        (BatchTransport, driver.Transport),
        (IdleProducer, driver.Producer),
        (BatchApp, faust.App),
    ],
)
def test_every_underscore_method_of_ours_overrides_one_of_theirs(ours: type, theirs: type) -> None:
    private = [name for name in vars(ours) if name.startswith("_") and inspect.isfunction(vars(ours)[name])]
    assert [name for name in private if not hasattr(theirs, name)] in ([], ["_as_message"])


@pytest.mark.parametrize(
    ("where", "line"),
    [
        # The fetch loop waits for the stream to take a message and compares only offsets we number ourselves.
        (base.Consumer._drain_messages, "r_offset is None or offset >= r_offset"),
        (base.Consumer._drain_messages, "callback(message), self.suspend_flow.wait()"),
        # After a rebalance: seek (ours does nothing), clear the queues, and only then resume the flow.
        (Recovery._resume_streams, "app.flow_control.resume()\n        consumer.resume_flow()"),
        # A full queue makes the fetch loop wait, which is the only back-pressure left.
        (ConductorCompiler.build, "if queue.full():"),
        # Commits are offered as often as the timer says, and only forwards.
        (base.Consumer._should_commit, "offset > committed"),
        # A crash of the agent is a crash of the app.
        (Agent._execute_actor, "self.supervisor.wakeup()"),
        (mode.CrashingSupervisor._contribute_to_service, "pass"),
        # aiokafka gives records and moves the position in one step; a seek throws away what was prefetched.
        (Fetcher.fetched_records, "drained[tp] = records"),
        (Fetcher.seek_to, "del self._records[tp]"),
        (Fetcher._proc_fetch_request, "tp_state.position != fetch_offset"),
        # Whoever waits for records is in this set, and the future wakes the routine that asks for them.
        (Fetcher._create_fetch_waiter, "self._fetch_waiters.add(fut)"),
        (Fetcher._fetch_requests_routine, "other_futs = [self._wait_consume_future"),
        # A request waits at the broker so long, without the partitions of which records wait here.
        (Fetcher._get_actions_per_node, "FetchRequest(\n                self._fetch_max_wait_ms,"),
        (Fetcher._get_actions_per_node, "if tp in self._records:"),
    ],
    ids=lambda value: value.__qualname__ if callable(value) else "",
)
def test_what_we_rely_on_still_stands_in_their_source(where: Callable[..., object], line: str) -> None:
    assert line in inspect.getsource(where)


def test_the_clients_have_the_attributes_we_reach_into() -> None:
    assert "self._subscription = " in inspect.getsource(AIOKafkaConsumer.__init__)
    assert "self._sender = " in inspect.getsource(AIOKafkaProducer)
    assert isinstance(inspect.getattr_static(Sender, "sender_task"), property)
    assert isinstance(inspect.getattr_static(TopicPartitionState, "has_valid_position"), property)
    assert isinstance(inspect.getattr_static(TopicPartitionState, "position"), property)
