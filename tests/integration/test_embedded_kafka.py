"""The embedded broker keeps what it accepted, whatever happens to its process."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.parts import Broker, TopicMaker, create_topics

pytestmark = pytest.mark.integration


async def send(bootstrap_servers: str, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def read(bootstrap_servers: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_records_accepted_before_a_kill_are_read_after_the_restart(broker: Broker) -> None:
    await create_topics(broker.bootstrap_servers, {"kept": 1})
    sent = [f"event {number}".encode() for number in range(100)]
    await send(broker.bootstrap_servers, "kept", sent)
    broker.kill()
    broker.start()
    assert await read(broker.bootstrap_servers, "kept", len(sent)) == sent


async def test_the_shared_broker_takes_an_event_of_one_megabyte(
    kafka: Broker, fresh_kafka_topics: TopicMaker
) -> None:
    topic = (await fresh_kafka_topics("large", partitions=1))["large"]
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, max_request_size=2_000_000)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"x" * 1_000_000, partition=0)
    finally:
        await producer.stop()
    assert [len(value) for value in await read(kafka.bootstrap_servers, topic, 1)] == [1_000_000]
