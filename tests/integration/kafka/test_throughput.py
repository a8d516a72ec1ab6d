"""How many records a second whole-batch delivery hands over; printed, never asserted."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from loanbook.kafka.batches import RecordBatch
from loanbook.kafka.producer import EventProducer, OutgoingRecord
from tests.integration.kafka.recorder import Recorder, make_topic, quick_settings, until, working
from tests.parts import Broker

pytestmark = pytest.mark.integration

RECORDS = 100_000


class Clocked(Recorder):
    """Keeps no records, only when the first and the last came."""

    def __init__(self) -> None:
        super().__init__()
        self.received = 0
        self.began: float | None = None
        self.ended = 0.0

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        self.began = self.began or time.perf_counter()
        for batch in batches:
            self.received += len(batch)
            self.worker.ack(batch)
        self.ended = time.perf_counter()


async def test_a_backlog_is_handed_over_whole(kafka: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 4)
    value, began = b"x" * 400, time.perf_counter()
    async with EventProducer(quick_settings(boot)) as producer:
        for start in range(0, RECORDS, 5000):
            await producer.send_many(
                OutgoingRecord(topic, b"%d" % i, value) for i in range(start, start + 5000)
            )
    sending = RECORDS / (time.perf_counter() - began)
    clocked = Clocked()
    async with working(quick_settings(boot), clocked, topic):
        await until(lambda: clocked.received >= RECORDS, within_s=60)
    assert clocked.received == RECORDS
    assert clocked.began is not None
    rate = RECORDS / (clocked.ended - clocked.began)
    with capsys.disabled():
        print(f"\nsent {sending:,.0f}/s, handed over {rate:,.0f}/s ({RECORDS:,} records of 400 B)")  # noqa: T201
