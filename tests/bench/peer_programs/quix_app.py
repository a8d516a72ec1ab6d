"""Quix Streams: a dataframe over the topic into a batching sink, flushed at each checkpoint."""

from __future__ import annotations

from typing import Any

from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch
from sink import Clock, Sink, settings


class LedgerSink(BatchingSink):  # type: ignore[misc]
    """Writes the batches of all partitions of a checkpoint in one transaction."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock, self._sink = clock, Sink()
        self._waiting: list[bytes] = []

    def add(self, value: Any, **rest: Any) -> None:
        """Keep one event until the checkpoint."""
        del rest
        self._clock.start()
        self._waiting.append(value)

    def write(self, batch: SinkBatch) -> None:
        """Nothing: `flush` writes what all partitions gave."""

    def flush(self) -> None:
        """Write what waits; Quix commits the offsets afterwards."""
        if self._waiting:
            self._sink.write(self._waiting)
            self._waiting = []


def main() -> None:
    """Read the topic from its beginning until all events are written."""
    told, clock = settings(), Clock()
    app = Application(
        broker_address=told.servers,
        consumer_group="quix",
        auto_offset_reset="earliest",
        commit_every=told.batch,
        auto_create_topics=False,
        loglevel="WARNING",
    )
    topic = app.topic(told.topic, key_deserializer="bytes", value_deserializer="bytes")
    app.dataframe(topic).sink(LedgerSink(clock))
    app.run(count=told.events, collect=False)
    clock.say(told.events)


if __name__ == "__main__":
    main()
