"""A loop by hand over confluent-kafka: fetch a batch, write it with the positions in one transaction."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition
from sink import Clock, Sink, settings

_PARTITIONS = 16


def main() -> None:
    """Read the topic from its beginning until all events are written."""
    told, sink, clock = settings(), Sink(), Clock()
    consumer = Consumer(
        {
            "bootstrap.servers": told.servers,
            "group.id": "confluent",
            "enable.auto.commit": False,
            "fetch.min.bytes": 65_536,
            "queued.max.messages.kbytes": 262_144,
        }
    )
    consumer.assign([TopicPartition(told.topic, number, 0) for number in range(_PARTITIONS)])
    done = 0
    while done < told.events:
        messages = consumer.consume(told.batch, timeout=0.2)
        if messages:
            clock.start()
            positions = {message.partition(): message.offset() + 1 for message in messages}
            sink.write((message.value() for message in messages), positions)
            done += len(messages)
    clock.say(done)
    consumer.close()


if __name__ == "__main__":
    main()
