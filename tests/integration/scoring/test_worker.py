"""The worker as a process: a notice in, a score and an alert out; what is lost or killed heals."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from embedded.ports import free_port
from loanbook.kafka.commands import create_topics
from loanbook.topics import LOAN_CHANGED, RISK_ALERTS
from tests.integration.scoring.desk import TODAY, Desk, LoanRow
from tests.integration.scoring.receiver import SECRET, Receiver
from tests.parts import Broker

pytestmark = pytest.mark.integration
PATIENCE_S = 40


class Worker:
    """`python -m scoring worker` with settings of the test's own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = os.environ | environment
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "scoring", "worker", env=self._environment
        )

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()


@pytest.fixture
async def environment(database: str, kafka: Broker) -> dict[str, str]:
    await create_topics(kafka.bootstrap_servers)
    return {
        "DATABASE_URL": database,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "SCORING_GROUP": f"scoring-{uuid.uuid4().hex[:8]}",
        "SCORING_WORKER_PORT": str(free_port()),
        "SCORING_SWEEP_INTERVAL": "PT0.2S",
        "SCORING_SWEEP_GRACE": "PT0.5S",
    }


@asynccontextmanager
async def working(environment: dict[str, str]) -> AsyncIterator[Worker]:
    worker = Worker(environment)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.kill()


@pytest.fixture
async def publish(kafka: Broker) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
    await producer.start()

    async def send(value: bytes, partition: int) -> None:
        await producer.send_and_wait(LOAN_CHANGED, value, partition=partition)

    yield send
    await producer.stop()


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):  # noqa: ASYNC110 - what is awaited happens in another process
            await asyncio.sleep(0.05)
    return found


async def scored_at_version(desk: Desk, loan: LoanRow) -> Any:
    async def look() -> Any:
        row = await desk.score(loan)
        return row if row is not None and row["state_version"] == loan.version else None

    return await until(look)


async def listening(environment: dict[str, str]) -> None:
    """Wait until the worker reads notices: its first round has stated the watch, its port answers."""
    port = int(environment["SCORING_WORKER_PORT"])

    async def look() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await until(look)


async def test_a_notice_gives_a_score_and_a_lost_notice_is_healed(
    desk: Desk, environment: dict[str, str], publish: Callable[..., Awaitable[None]]
) -> None:
    told, untold = LoanRow(loan_id="L1", late=3), LoanRow(loan_id="L2", late=3)
    async with working(environment) as worker:
        await listening(environment)
        await desk.put(told)
        await publish(desk.notice(told), told.slice)
        await scored_at_version(desk, told)
        await desk.put(untold)
        await scored_at_version(desk, untold)
        assert await worker.stop() == 0


async def test_a_notice_that_cannot_be_read_stops_nothing(
    desk: Desk, environment: dict[str, str], publish: Callable[..., Awaitable[None]]
) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    async with working(environment | {"SCORING_SWEEP_GRACE": "PT1H"}):  # the sweep leaves it to the notice
        await listening(environment)
        await desk.put(loan)

        async def look() -> Any:
            await publish(b"not a notice", loan.slice)
            await publish(desk.notice(loan), loan.slice)
            return await desk.score(loan)

        assert (await until(look))["risk_score"] == 48


async def test_what_changed_while_the_worker_was_killed_is_scored_when_it_is_back(
    desk: Desk, environment: dict[str, str], publish: Callable[..., Awaitable[None]]
) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    async with working(environment) as worker:
        await listening(environment)
        await desk.put(loan)
        await publish(desk.notice(loan), loan.slice)
        await scored_at_version(desk, loan)
        await worker.kill()
    later = replace(loan, late=20, version=2)
    await desk.put(later)
    await publish(desk.notice(later), later.slice)
    async with working(environment):
        assert (await scored_at_version(desk, later))["risk_score"] == 73


async def test_the_turn_of_the_day_scores_late_loans_without_any_notice(
    desk: Desk, environment: dict[str, str]
) -> None:
    late, current = LoanRow(loan_id="L1", late=3), LoanRow(loan_id="L2")
    async with working(environment):
        await desk.put(late, current)
        await scored_at_version(desk, late)
        await scored_at_version(desk, current)
        tomorrow = await desk.close_days(1)

        async def look() -> bool:
            return bool((await desk.score(late))["as_of"] == tomorrow)

        await until(look)
        assert (await desk.score(current))["as_of"] == TODAY


async def test_an_alert_reaches_the_webhook_and_the_topic(
    desk: Desk, environment: dict[str, str], kafka: Broker, publish: Callable[..., Awaitable[None]]
) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    async with Receiver().listening() as receiver:
        hooked = environment | {
            "SCORING_WEBHOOK_URL": receiver.url,
            "SCORING_WEBHOOK_SECRET": SECRET,
            "SCORING_WEBHOOK_ALLOW_PRIVATE": "true",
        }
        async with working(hooked):
            await listening(hooked)
            await until(
                lambda: desk.connection.fetchval(
                    "SELECT count(*) FROM risk.watch WHERE caught_up_at IS NOT NULL"
                )
            )
            await desk.put(loan)
            await publish(desk.notice(loan), loan.slice)
            await until(lambda: accepted(receiver))
            event = await last_event(kafka, loan.slice)
    assert receiver.accepted[0]["data"]["loan_id"] == "L1"
    assert (event["type"], event["subject"]) == ("risk.alert.opened.v1", "L1")
    assert event["data"]["episode_id"] == receiver.accepted[0]["data"]["episode_id"]


async def accepted(receiver: Receiver) -> list[dict[str, Any]]:
    return receiver.accepted


async def last_event(kafka: Broker, partition: int) -> dict[str, Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    await consumer.start()
    try:
        where = TopicPartition(RISK_ALERTS, partition)
        consumer.assign([where])

        async def look() -> int:
            return int((await consumer.end_offsets([where]))[where])

        end = await until(look)
        consumer.seek(where, end - 1)
        event: dict[str, Any] = json.loads((await consumer.getone()).value)
        return event
    finally:
        await consumer.stop()


async def test_a_replay_ends_with_one_summary_and_not_with_an_alert_a_loan(
    desk: Desk, environment: dict[str, str]
) -> None:
    await desk.replaying(on=True)
    loans = [LoanRow(loan_id=f"S{n}", late=31 if n % 3 else 65) for n in range(30)]
    async with working(environment):
        await desk.put(*loans)
        for loan in loans:
            await scored_at_version(desk, loan)
        await desk.replaying(on=False)
        await until(desk.deliveries)
        fresh = LoanRow(loan_id="L1", late=31)
        await desk.put(fresh)
        await scored_at_version(desk, fresh)
    told = await desk.deliveries()
    assert [row["kind"] for row in told] == ["baseline", "opened"]
    summary = json.loads(told[0]["payload"])["data"]["open_episodes"]
    assert summary == {"INFO": 0, "WATCH": 20, "HIGH": 10, "CRITICAL": 0}


async def test_a_book_that_came_while_no_worker_ran_is_taken_in_silence(
    desk: Desk, environment: dict[str, str]
) -> None:
    loans = [LoanRow(loan_id=f"S{n}", late=31) for n in range(5)]
    await desk.put(*loans)
    async with working(environment):
        for loan in loans:
            await scored_at_version(desk, loan)
        (summary,) = await until(desk.deliveries)
    assert summary["kind"] == "baseline"
    assert {row["baseline"] for row in await desk.episodes()} == {True}


async def test_scoring_goes_on_when_the_database_comes_back(
    desk: Desk, environment: dict[str, str], publish: Callable[..., Awaitable[None]]
) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    async with working(environment) as worker:
        await listening(environment)
        await desk.put(loan)
        await scored_at_version(desk, loan)
        for version in range(2, 6):
            await desk.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            later = replace(loan, version=version)
            await desk.put(later)
            await publish(desk.notice(later), later.slice)
            await scored_at_version(desk, later)
        assert await worker.stop() == 0
