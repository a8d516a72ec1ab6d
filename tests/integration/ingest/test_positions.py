"""Positions on a real log: shown, moved by a person alone, and let go on while the worker runs."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ingest.commands.positions import PositionError, main
from loanbook.kafka.commands import create_topics
from loanbook.kafka.producer import EventProducer
from loanbook.kafka.settings import KafkaSettings
from loanbook.topics import LOAN_EVENTS, slice_of
from tests.audit import differences
from tests.builders import DAY_0, Story
from tests.faults.conftest import Stream, Workers
from tests.feeding import add_book
from tests.integration.ingest.test_flow import sent
from tests.parts import Broker

pytestmark = pytest.mark.integration
LOAN = "L-1"
PLACE = slice_of(LOAN)
MINE = f"topic = '{LOAN_EVENTS}' AND partition = {PLACE}"


@pytest.fixture
async def stream(broker: Broker, database: str) -> Stream:
    await create_topics(broker.bootstrap_servers)
    await add_book(database, business_on=DAY_0 + timedelta(days=10))
    return Stream(broker.bootstrap_servers, database)


@pytest.fixture
def workers(stream: Stream, tmp_path: Path) -> Iterator[Workers]:
    environment = os.environ | {
        "DATABASE_URL": stream.dsn,
        "KAFKA_BOOTSTRAP_SERVERS": stream.bootstrap_servers,
        "INGEST_WORKER_PORT": "0",
        "INGEST_SESSION_TIMEOUT": "PT6S",
        "INGEST_DEAD_WINDOW": "5",
    }
    workers = Workers(environment, tmp_path / "worker.log")
    yield workers
    workers.kill()


@pytest.fixture
def positions(stream: Stream, capsys: pytest.CaptureFixture[str]) -> Callable[..., Awaitable[str]]:
    """Runs the command and gives what it prints."""

    async def run(*words: str) -> str:
        where = ["--database-url", stream.dsn, "--bootstrap-servers", stream.bootstrap_servers]
        assert await asyncio.to_thread(main, [*where, *words]) == 0
        return capsys.readouterr().out

    return run


def a_story() -> list[tuple[str, bytes]]:
    story = Story(loan_id=LOAN).lent()
    story.paid(3, 10)
    return [sent(event) for event in story.events]


async def rows(dsn: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        found: list[Any] = await connection.fetch(query)
        return found
    finally:
        await connection.close()


async def test_a_lost_position_stops_the_worker_until_a_person_accepts_the_gap(
    stream: Stream, workers: Workers, positions: Callable[..., Awaitable[str]]
) -> None:
    events = a_story()
    first = workers.start()
    await stream.send(events[:2])
    await stream.wait_for(2, workers.log)
    first.terminate()
    assert await asyncio.to_thread(first.wait, 30) == 0
    await stream.send(events[2:])
    listed = {(row["topic"], row["partition"]): row for row in json.loads(await positions("list", "--json"))}
    row = listed[LOAN_EVENTS, PLACE]
    assert (row["next_offset"], row["log_start"], row["log_end"], row["lag"]) == (2, 0, 3, 1)
    assert (row["received"], row["taken"]) == (2, 2)

    await rows(stream.dsn, f"UPDATE core.stream_position SET next_offset = 900 WHERE {MINE}")
    second = workers.start()
    assert await asyncio.to_thread(second.wait, 60) == 1
    assert "loanpulse positions accept-gap" in workers.log.read_text()

    gap = ["accept-gap", LOAN_EVENTS, str(PLACE), "--by", "ann", "--why", "restored"]
    with pytest.raises(PositionError, match=r"901 is outside the log \(0 to 3\)"):
        await positions(*gap, "--to", "901")
    assert "goes on at 2; it stood at 900" in await positions(*gap, "--to", "2")
    workers.start()
    await stream.wait_for(3, workers.log)
    [audit] = await rows(stream.dsn, "SELECT done_by, what, details FROM core.audit")
    details = json.loads(audit["details"])
    assert (audit["done_by"], audit["what"]) == ("ann", "gap_accepted")
    assert (details["from"], details["to"], details["why"]) == (900, 2, "restored")
    assert await differences(stream.dsn) == []


async def test_a_stopped_partition_goes_on_without_a_restart(
    stream: Stream, workers: Workers, positions: Callable[..., Awaitable[str]]
) -> None:
    worker = workers.start()
    async with EventProducer(KafkaSettings(bootstrap_servers=stream.bootstrap_servers)) as producer:
        await producer.send_many([(LOAN_EVENTS, b"x", b"no event", PLACE) for _ in range(8)])
    stopped = f"SELECT 1 FROM core.stream_position WHERE {MINE} AND paused_reason IS NOT NULL"
    async with asyncio.timeout(60):
        while not await rows(stream.dsn, stopped):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.2)
    assert "8 of the last 8 records were dead letters" in await positions("list")
    await stream.send(a_story())
    await asyncio.sleep(2)
    assert await stream.ledger() == 0
    with pytest.raises(PositionError, match="is not stopped"):
        await positions("resume", LOAN_EVENTS, str((PLACE + 1) % 16), "--by", "ann")
    assert "goes on; it was stopped: 8 of" in await positions(
        "resume", LOAN_EVENTS, str(PLACE), "--by", "ann"
    )
    await stream.wait_for(3, workers.log)
    assert worker.poll() is None
    assert [row["what"] for row in await rows(stream.dsn, "SELECT what FROM core.audit")] == [
        "position_resumed"
    ]
    assert await differences(stream.dsn) == []
