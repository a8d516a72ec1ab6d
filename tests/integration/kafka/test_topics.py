"""`loanpulse topics create` on a real Kafka: what is missing is made, what is wrong is named."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from loanbook.domain.errors import FatalError, RetryableError
from loanbook.kafka.commands import create_topics
from loanbook.kafka.log_reader import partition_counts
from loanbook.kafka.settings import KafkaSettings
from loanbook.topics import DEAD_LETTERS, LOAN_EVENTS, SLICES, TOPICS
from tests.parts import Broker

pytestmark = pytest.mark.integration


async def test_topics_are_made_once_and_a_wrong_number_of_partitions_is_named(broker: Broker) -> None:
    boot = broker.bootstrap_servers
    settings = KafkaSettings(bootstrap_servers=boot)
    with pytest.raises(FatalError, match=r"not made, loan\.events\.v1: .*replication"):
        await create_topics(boot, replication_factor=3)
    assert await create_topics(boot) == [topic.name for topic in TOPICS]
    assert await create_topics(boot) == []
    counts = await partition_counts(settings, tuple(t.name for t in TOPICS))
    assert counts == {topic.name: topic.partitions for topic in TOPICS}
    admin = AIOKafkaAdminClient(bootstrap_servers=boot)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, LOAN_EVENTS)])
        configured = {entry[0]: entry[1] for entry in answer.resources[0][4]}
        await admin.create_partitions({DEAD_LETTERS: NewPartitions(total_count=SLICES + 4)})
    finally:
        await admin.close()
    assert configured["message.timestamp.type"] == "LogAppendTime"
    assert configured["retention.ms"] == "-1"
    async with asyncio.timeout(20):
        while (await partition_counts(settings, (DEAD_LETTERS,)))[DEAD_LETTERS] < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    with pytest.raises(FatalError, match=f"{DEAD_LETTERS} has 20, not 16"):
        await create_topics(boot)


async def test_without_a_broker_it_says_so() -> None:
    with pytest.raises(RetryableError, match=r"127\.0\.0\.1:1"):
        await create_topics("127.0.0.1:1")
