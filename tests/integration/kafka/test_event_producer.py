"""The producer on a real Kafka: durable, ordered, partitioned as Java does, and clear when it cannot."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from aiokafka.structs import RecordMetadata

from loanbook.domain.errors import RejectedEventError, RetryableError
from loanbook.kafka.batches import Partition
from loanbook.kafka.producer import EventProducer, OutgoingRecord
from loanbook.topics import SLICES, slice_of
from tests.integration.kafka.recorder import Recorder, make_topic, quick_settings, until, working
from tests.parts import Broker

pytestmark = pytest.mark.integration


async def test_what_is_confirmed_can_be_read_in_the_order_sent(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    values = [b"%d" % i for i in range(3000)]
    async with EventProducer(quick_settings(boot)) as producer:
        outcomes = await producer.send_many(OutgoingRecord(topic, b"loan", value) for value in values)
    assert [outcome.offset for outcome in outcomes if isinstance(outcome, RecordMetadata)] == list(
        range(3000)
    )
    recorder = Recorder()
    async with working(quick_settings(boot), recorder, topic):
        await until(lambda: len(recorder.values(Partition(topic, 0))) == 3000)
    assert recorder.values(Partition(topic, 0)) == values


async def test_a_loan_goes_to_the_partition_of_its_slice(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, SLICES)
    loans = [f"LN-{i}" for i in range(200)]
    async with EventProducer(quick_settings(kafka.bootstrap_servers)) as producer:
        outcomes = await producer.send_many([(topic, loan.encode(), b"event", None) for loan in loans])
    sent_to = [outcome.partition for outcome in outcomes if isinstance(outcome, RecordMetadata)]
    assert sent_to == [slice_of(loan) for loan in loans]
    assert len(set(sent_to)) == SLICES


async def test_a_named_partition_wins_over_the_key(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 4)
    async with EventProducer(quick_settings(kafka.bootstrap_servers)) as producer:
        outcomes = [await producer.send(topic, b"loan", b"notice", partition) for partition in range(4)]
    assert [outcome.partition for outcome in outcomes] == [0, 1, 2, 3]


async def test_one_record_too_large_is_refused_and_the_others_are_sent(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 1)
    async with EventProducer(quick_settings(kafka.bootstrap_servers), max_record_bytes=100_000) as producer:
        outcomes = await producer.send_many(
            [(topic, b"a", b"small", None), (topic, b"a", b"x" * 200_000, None), (topic, b"a", b"last", None)]
        )
    first, large, last = outcomes
    assert isinstance(large, RejectedEventError)
    assert "200001 bytes are more than 100000" in str(large)
    assert isinstance(first, RecordMetadata)
    assert isinstance(last, RecordMetadata)
    assert (first.offset, last.offset) == (0, 1)


async def test_many_senders_at_once_are_all_confirmed(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 4)
    async with EventProducer(quick_settings(kafka.bootstrap_servers)) as producer:
        answers = await asyncio.gather(
            *(producer.send(topic, b"%d" % i, json.dumps({"n": i}).encode()) for i in range(300))
        )
    assert len({(answer.partition, answer.offset) for answer in answers}) == 300


async def test_without_a_broker_the_answer_comes_in_time_and_says_so() -> None:
    producer = EventProducer(quick_settings("127.0.0.1:1"), timeout=timedelta(seconds=1))
    began = asyncio.get_running_loop().time()
    (outcome,) = await producer.send_many([OutgoingRecord("topic", b"key", b"value")])
    assert isinstance(outcome, RetryableError)
    assert "127.0.0.1:1" in str(outcome)
    with pytest.raises(RetryableError):
        await producer.start()
    await producer.stop()
    assert asyncio.get_running_loop().time() - began < 5


async def test_a_missing_topic_is_an_answer_and_not_a_hang(kafka: Broker) -> None:
    producer = EventProducer(quick_settings(kafka.bootstrap_servers), timeout=timedelta(seconds=2))
    async with producer:
        (outcome,) = await producer.send_many([OutgoingRecord("no.such.topic", b"key", b"value")])
    assert isinstance(outcome, RetryableError)
