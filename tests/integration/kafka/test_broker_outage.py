"""A broker that is killed and comes back: workers and producers go on, nothing confirmed is lost."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka.structs import RecordMetadata

from loanbook.domain.errors import RetryableError
from loanbook.kafka.producer import EventProducer, OutgoingRecord
from tests.integration.kafka.processes import WorkerProcess, rows, until_recorded
from tests.integration.kafka.recorder import make_topic, quick_settings
from tests.parts import Broker

pytestmark = [pytest.mark.integration, pytest.mark.faults]


async def send_all(producer: EventProducer, topic: str, values: list[bytes]) -> int:
    """Send as the gateway's clients do, again until confirmed; return how many answers were refusals."""
    refusals = 0
    for value in values:
        while True:
            (outcome,) = await producer.send_many([OutgoingRecord(topic, value, value)])
            if isinstance(outcome, RecordMetadata):
                break
            assert isinstance(outcome, RetryableError)
            refusals += 1
    return refusals


async def test_worker_and_producer_outlive_a_killed_broker(broker: Broker, tmp_path: Path) -> None:
    boot, ledger = broker.bootstrap_servers, tmp_path / "ledger"
    topic = await make_topic(boot, 4)
    values = [b"%d" % i for i in range(600)]
    settings = quick_settings(boot, request_timeout=timedelta(seconds=5))
    async with (
        EventProducer(settings, timeout=timedelta(seconds=2)) as producer,
        WorkerProcess(boot, topic, ledger) as worker,
    ):
        assert await send_all(producer, topic, values[:200]) == 0
        await until_recorded(ledger, 200)
        await asyncio.to_thread(broker.kill)
        sending = asyncio.create_task(send_all(producer, topic, values[200:]))
        await asyncio.sleep(4)
        await asyncio.to_thread(broker.start)
        assert await sending > 0
        await until_recorded(ledger, 600)
        assert worker.process.returncode is None
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.ends() == 0, worker.said
    found = {value for (value,) in rows(ledger, "SELECT value FROM record")}
    assert found == set(values)
    assert rows(ledger, "SELECT * FROM refused") == []


async def test_sigterm_while_the_broker_is_away_still_ends_in_time(broker: Broker, tmp_path: Path) -> None:
    boot, ledger = broker.bootstrap_servers, tmp_path / "ledger"
    topic = await make_topic(boot, 1)
    async with EventProducer(quick_settings(boot)) as producer:
        assert await send_all(producer, topic, [b"value"]) == 0
    async with WorkerProcess(boot, topic, ledger) as worker:
        await until_recorded(ledger, 1)
        await asyncio.to_thread(broker.kill)
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.ends(within_s=25) == 0, worker.said
