"""How a worker in the test's own loop ends: with the error that ended it, never in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from loanbook.domain.errors import FatalError, RetryableError
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.kafka.worker import BatchWorker
from tests.integration.kafka.recorder import (
    Recorder,
    fill,
    make_topic,
    quick_settings,
    until,
    working,
)
from tests.parts import Broker

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.1, 0.4, 1.0, 1.15])
async def test_a_worker_told_to_stop_while_it_starts_ends_in_order(kafka: Broker, after_s: float) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 1)
    async with working(quick_settings(kafka.bootstrap_servers), Recorder(), topic):
        await asyncio.sleep(after_s)


async def test_a_task_that_returns_ends_the_worker(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 1)

    async def relay() -> None:
        await asyncio.sleep(0.2)

    worker = BatchWorker(
        quick_settings(kafka.bootstrap_servers), Recorder(), [topic], f"group.{topic}", tasks=[relay]
    )
    with pytest.raises(FatalError, match="relay"):
        await worker.run()


async def test_a_refused_assignment_ends_the_worker_with_its_reason(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 1)

    class Refusing(Recorder):
        async def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
            raise FatalError(f"another log under {len(partitions)} position")

    worker = BatchWorker(quick_settings(kafka.bootstrap_servers), Refusing(), [topic], f"group.{topic}")
    with pytest.raises(FatalError, match="another log under 1 position"):
        await worker.run()


async def test_positions_that_cannot_be_told_yet_are_asked_for_again(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 1)
    await fill(kafka.bootstrap_servers, topic, 0, [b"value"])

    class Hesitant(Recorder):
        async def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
            answer = await super().assigned(partitions)
            if len(self.calls) < 3:
                raise RetryableError("the database is away")
            return answer

    recorder = Hesitant()
    async with working(quick_settings(kafka.bootstrap_servers), recorder, topic):
        await until(lambda: bool(recorder.batches))
    assert [name for name, _ in recorder.calls] == ["assigned"] * 3 + ["revoked"]


@pytest.mark.parametrize("position", [3, 40], ids=["before the log's start", "beyond its end"])
async def test_a_position_outside_the_log_is_an_error_and_no_jump(kafka: Broker, position: int) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    await fill(boot, topic, 0, [b"value"] * 10)
    await cut_log(boot, topic, 5)
    recorder = Recorder({Partition(topic, 0): position})
    worker = recorder.worker = BatchWorker(quick_settings(boot), recorder, [topic], f"group.{topic}")
    with pytest.raises(FatalError, match=rf"position outside the log: {topic}-0 at {position}"):
        await worker.run()
    assert recorder.batches == []


async def test_a_log_that_begins_later_is_read_from_where_it_begins(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    await fill(boot, topic, 0, [b"%d" % i for i in range(10)])
    await cut_log(boot, topic, 5)
    recorder = Recorder()
    async with working(quick_settings(boot), recorder, topic):
        await until(lambda: bool(recorder.batches))
    assert recorder.batches[0].from_offset == 5


async def test_a_missing_topic_is_named_at_once(kafka: Broker) -> None:
    worker = BatchWorker(quick_settings(kafka.bootstrap_servers), Recorder(), ["no.such.topic"], "group.none")
    with pytest.raises(FatalError, match=r"loanpulse topics create.*no\.such\.topic"):
        await worker.run()


async def test_a_worker_gives_up_waiting_for_a_broker_that_never_comes() -> None:
    settings = quick_settings("127.0.0.1:1", connect_timeout=timedelta(seconds=1))
    with pytest.raises(FatalError, match="gave up waiting for a broker"):
        await BatchWorker(settings, Recorder(), ["any"], "group.any").run()


async def test_a_worker_that_has_lag_and_acks_nothing_ends_itself(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    await fill(boot, topic, 0, [b"value"])
    stuck = Recorder()
    stuck.acks = False
    settings = quick_settings(boot, stall_timeout=timedelta(seconds=2))
    stuck.worker = BatchWorker(settings, stuck, [topic], f"group.{topic}")
    with pytest.raises(FatalError, match="no ack in 2 s"):
        await stuck.worker.run()


async def test_a_worker_that_says_why_it_waits_is_left_alone(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    await fill(boot, topic, 0, [b"value"])
    patient = Recorder()
    patient.gate.clear()
    patient.waiting_reason = "the database is away"
    settings = quick_settings(boot, stall_timeout=timedelta(seconds=1))
    async with working(settings, patient, topic):
        await asyncio.sleep(3)
        patient.waiting_reason = None
        patient.gate.set()
        await until(lambda: bool(patient.positions))


async def test_a_failing_handler_hears_of_no_further_batch(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 2)
    for partition in range(2):
        await fill(boot, topic, partition, [b"value"] * 100)

    class Broken(Recorder):
        async def deliver(self, batches: Sequence[RecordBatch]) -> None:
            del batches
            self.deliveries += 1
            raise ValueError("broken")

    broken = Broken()
    worker = broken.worker = BatchWorker(
        quick_settings(boot, max_poll_records=10), broken, [topic], f"group.{topic}"
    )
    with pytest.raises(ValueError, match="broken"):
        await worker.run()
    assert broken.deliveries == 1
    assert worker.counts.acks == 0


async def cut_log(bootstrap_servers: str, topic: str, offset: int) -> None:
    """Delete the records below an offset, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()
