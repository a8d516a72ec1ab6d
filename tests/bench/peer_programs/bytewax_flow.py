"""Bytewax: Kafka's source in batches, collected, into a sink of its own."""

from __future__ import annotations

from datetime import timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from sink import Clock, Settings, Sink, settings

_WAIT = timedelta(seconds=0.5)


class LedgerPartition(StatelessSinkPartition[list[bytes]]):  # type: ignore[misc]
    """Writes each collected batch in one transaction."""

    def __init__(self) -> None:
        self._sink = Sink()

    def write_batch(self, items: list[list[bytes]]) -> None:
        """Write the batches that have come."""
        self._sink.write(value for batch in items for value in batch)


class LedgerSink(DynamicSink[list[bytes]]):  # type: ignore[misc]
    """The sink of each worker."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> LedgerPartition:
        """One connection a worker."""
        del step_id, worker_index, worker_count
        return LedgerPartition()


def flow(told: Settings, clock: Clock) -> Dataflow:
    """From the topic's beginning to its present end, so that the run ends by itself."""

    def value_of(message: KafkaSourceMessage) -> tuple[str, bytes]:
        clock.start()
        return "all", message.value

    made = Dataflow("ledger")
    source = KafkaSource([told.servers], [told.topic], tail=False, batch_size=told.batch)
    keyed = op.map("value", op.input("read", made, source), value_of)
    batches = op.collect("collect", keyed, timeout=_WAIT, max_size=told.batch)
    op.output("write", op.map("unkey", batches, lambda item: item[1]), LedgerSink())
    return made


def main() -> None:
    """Run it to the end."""
    told, clock = settings(), Clock()
    run_main(flow(told, clock))
    clock.say(told.events)


if __name__ == "__main__":
    main()
