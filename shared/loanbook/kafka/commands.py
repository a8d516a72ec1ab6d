"""`loanpulse topics create`: make the topics with their partitions and settings."""

from __future__ import annotations

import argparse
import asyncio
import os

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from loanbook.topics import TOPICS


def main(arguments: list[str]) -> int:
    """Create the topics that are missing."""
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
    """Create what is missing and return the names; existing topics are left as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        missing = [topic for topic in TOPICS if topic.name not in set(await admin.list_topics())]
        specs = [NewTopic(t.name, t.partitions, replication_factor, topic_configs=t.config) for t in missing]
        if specs:
            await admin.create_topics(specs)
        return [topic.name for topic in missing]
    finally:
        await admin.close()
