"""`loanpulse topics create`: make the topics with their partitions and settings."""

from __future__ import annotations

import argparse
import asyncio
import os

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from loanbook.domain.errors import FatalError, RetryableError
from loanbook.topics import TOPICS, TopicSpec

_ALREADY_THERE = 36  # Kafka's code; another process was quicker
_VISIBLE_WITHIN_S = 15.0


def main(arguments: list[str]) -> int:
    """Create the topics that are missing, and refuse those that are there in another shape."""
    parser = argparse.ArgumentParser(prog="loanpulse topics", description=__doc__)
    parser.add_argument("verb", choices=["create"])
    parser.add_argument("--bootstrap-servers", default=os.environ.get("KAFKA_BOOTSTRAP_SERVERS"))
    parser.add_argument("--replication-factor", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if not chosen.bootstrap_servers:
        parser.error("set KAFKA_BOOTSTRAP_SERVERS or give --bootstrap-servers")
    made = asyncio.run(create_topics(chosen.bootstrap_servers, chosen.replication_factor))
    print("topics made: " + (", ".join(made) or "none, all are there"))
    return 0


async def create_topics(bootstrap_servers: str, replication_factor: int = 1) -> list[str]:
    """Create what is missing and return its names, once every partition can be written to.

    FatalError when the broker refuses, or when a topic has another number of partitions than its loans'
    slices; RetryableError when no broker answers.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        await admin.start()
        there = await _partitions(admin, TOPICS)
        missing = [topic for topic in TOPICS if topic.name not in there]
        if missing:
            await _make(admin, missing, replication_factor)
        await _wait_until_all_serve(admin)
        return [topic.name for topic in missing]
    except KafkaError as error:
        raise RetryableError(f"Kafka at {bootstrap_servers}: {error!r}") from error
    finally:
        await admin.close()


async def _make(admin: AIOKafkaAdminClient, topics: list[TopicSpec], replication_factor: int) -> None:
    answer = await admin.create_topics(
        [NewTopic(t.name, t.partitions, replication_factor, topic_configs=t.config) for t in topics]
    )
    refused = [
        f"{name}: {text}" for name, code, text in answer.topic_errors if code not in {0, _ALREADY_THERE}
    ]
    if refused:
        raise FatalError("not made, " + "; ".join(refused))


async def _wait_until_all_serve(admin: AIOKafkaAdminClient) -> None:
    async with asyncio.timeout(_VISIBLE_WITHIN_S):
        there = await _partitions(admin, TOPICS)
        while len(there) < len(TOPICS):
            await asyncio.sleep(0.1)
            there = await _partitions(admin, TOPICS)
    wrong = [
        f"{t.name} has {there[t.name]}, not {t.partitions}" for t in TOPICS if there[t.name] != t.partitions
    ]
    if wrong:
        raise FatalError("a loan's partition is its slice, so its number is fixed: " + "; ".join(wrong))


async def _partitions(admin: AIOKafkaAdminClient, topics: tuple[TopicSpec, ...]) -> dict[str, int]:
    """Return the number of partitions of each topic that is there and whose partitions all have a leader."""
    described = await admin.describe_topics([topic.name for topic in topics])
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in described
        if not topic["error_code"] and all(partition["leader"] >= 0 for partition in topic["partitions"])
    }
