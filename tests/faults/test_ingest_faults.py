"""Parts are killed while events flow; afterwards every event has counted once and all figures agree."""

from __future__ import annotations

import asyncio
import signal

import pytest
from aiokafka import AIOKafkaProducer

from loanbook.topics import LOAN_EVENTS
from tests.faults.conftest import Stream, Workers, a_book_of_events, unique
from tests.parts import Broker, Database

pytestmark = [pytest.mark.integration, pytest.mark.faults]

SMALL = {"INGEST_BATCH_RECORDS": "1"}
"""A partition a transaction: of larger ones there might be too few to die at."""


@pytest.mark.parametrize("fault", ["before_commit", "after_commit"])
async def test_a_worker_killed_around_a_commit_counts_every_event_once(
    fault: str, stream: Stream, workers: Workers
) -> None:
    events = a_book_of_events()
    await stream.send(events)
    dying = workers.start(fault, "3", **SMALL)
    assert await asyncio.to_thread(dying.wait, 60) == -signal.SIGKILL
    workers.start()
    await stream.wait_for(unique(events), workers.log)
    await stream.assert_exact(unique(events))


async def test_one_of_two_workers_killed_leaves_its_share_to_the_other(
    stream: Stream, workers: Workers
) -> None:
    events = a_book_of_events()
    first = workers.start()
    workers.start()
    await stream.send(events[:500])
    await stream.wait_for(unique(events[:500]), workers.log)
    sending = asyncio.create_task(stream.send(events[500:], pause_s=0.1))
    await asyncio.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    await sending
    await stream.wait_for(unique(events), workers.log)
    await stream.assert_exact(unique(events))


async def test_a_database_killed_and_started_again_loses_nothing(
    stream: Stream, workers: Workers, postgres: Database
) -> None:
    events = a_book_of_events()
    worker = workers.start()
    await stream.send(events[:600])
    await stream.wait_for(unique(events[:600]), workers.log)
    postgres.kill()
    await stream.send(events[600:])
    await asyncio.sleep(1)
    postgres.start()
    await stream.wait_for(unique(events), workers.log)
    assert worker.poll() is None
    await stream.assert_exact(unique(events))


async def test_a_broker_killed_and_started_again_loses_nothing(
    stream: Stream, workers: Workers, broker: Broker
) -> None:
    events = a_book_of_events()
    workers.start()
    await stream.send(events[:600])
    await stream.wait_for(unique(events[:600]), workers.log)
    broker.kill()
    await asyncio.sleep(1)
    broker.start()
    await stream.send(events[600:])
    await stream.wait_for(unique(events), workers.log)
    await stream.assert_exact(unique(events))


async def test_a_batch_lost_between_fetch_and_write_is_refused_and_read_again(
    stream: Stream, workers: Workers
) -> None:
    events = a_book_of_events()
    workers.start("drop_batch", "25")
    await stream.send(events[:300])
    await stream.wait_for(unique(events[:300]), workers.log)
    await stream.send(events[300:], chunk=100, pause_s=0.2)
    await stream.wait_for(unique(events), workers.log)
    await stream.assert_exact(unique(events))
    assert "gap_refused" in workers.log.read_text()


async def test_an_aborted_transaction_of_upstream_is_no_payment(stream: Stream, workers: Workers) -> None:
    events = a_book_of_events()
    aborted, rest = events[:50], events[50:]
    producer = AIOKafkaProducer(
        bootstrap_servers=stream.bootstrap_servers, transactional_id="upstream", enable_idempotence=True
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for key, data in aborted:
            await producer.send_and_wait(LOAN_EVENTS, key=key.encode(), value=data)
        await producer.abort_transaction()
    finally:
        await producer.stop()
    await stream.send(rest)
    workers.start()
    await stream.wait_for(unique(rest), workers.log)
    await stream.assert_exact(unique(rest))


async def test_days_roll_once_though_a_worker_dies_at_every_few_commits(
    stream: Stream, workers: Workers
) -> None:
    events = a_book_of_events(loans=100)
    await stream.send(events)
    for day in (100, 110, 125, 140):
        await stream.close_day(day)
    for commits in (2, 3, 4):
        dying = workers.start("after_commit", str(commits), **SMALL)
        await asyncio.to_thread(dying.wait, 60)
        assert dying.returncode == -signal.SIGKILL
    workers.start()
    await stream.wait_for_day(141, workers.log)
    await stream.assert_exact(unique(events))
