"""Workers as processes: killed, stopped, failing, joining and leaving, on a real Kafka."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from loanbook.kafka.batches import Partition
from tests.integration.kafka.processes import (
    WorkerProcess,
    assert_each_once,
    recorded,
    rows,
    until_recorded,
)
from tests.integration.kafka.recorder import committed_offset, fill, make_topic
from tests.parts import Broker

pytestmark = [pytest.mark.integration, pytest.mark.faults]


async def sent(
    boot: str, topic: str, partitions: int, records: int, start: int = 0
) -> dict[int, list[bytes]]:
    values = {p: [f"{p}:{i}".encode() for i in range(start, start + records)] for p in range(partitions)}
    for p in range(partitions):
        await fill(boot, topic, p, values[p])
    return values


async def test_sigterm_lets_the_transaction_finish_and_exits_with_0(kafka: Broker, tmp_path: Path) -> None:
    boot, topic, ledger = (
        kafka.bootstrap_servers,
        await make_topic(kafka.bootstrap_servers, 1),
        tmp_path / "l",
    )
    await sent(boot, topic, 1, 400)
    async with WorkerProcess(boot, topic, ledger, "--slow", "1.5") as worker:
        await worker.says("transaction")
        began = asyncio.get_running_loop().time()
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.ends() == 0, worker.said
        assert asyncio.get_running_loop().time() - began < 20
        assert "revoked" in worker.said
    assert recorded(ledger) == 400
    assert await committed_offset(boot, f"group.{topic}", Partition(topic, 0)) == 400


async def test_an_error_of_the_handler_ends_the_process_and_acks_nothing(
    kafka: Broker, tmp_path: Path
) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    await sent(boot, topic, 1, 20)
    async with WorkerProcess(boot, topic, tmp_path / "l", "--fail") as worker:
        assert await worker.ends() == 1
        assert worker.said.count("ValueError: the handler is broken") == 1
    assert recorded(tmp_path / "l") == 0
    assert await committed_offset(boot, f"group.{topic}", Partition(topic, 0)) is None


async def test_a_crash_between_commit_and_ack_applies_nothing_twice(kafka: Broker, tmp_path: Path) -> None:
    boot, topic, ledger = (
        kafka.bootstrap_servers,
        await make_topic(kafka.bootstrap_servers, 2),
        tmp_path / "l",
    )
    values = await sent(boot, topic, 2, 2000)
    for _ in range(2):
        async with WorkerProcess(boot, topic, ledger, "--crash-after", "2") as worker:
            assert await worker.ends() == 9
    before = recorded(ledger)
    assert 0 < before < 4000
    async with WorkerProcess(boot, topic, ledger) as worker:
        await until_recorded(ledger, 4000)
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.ends() == 0, worker.said
    assert_each_once(ledger, values)


async def test_when_one_of_two_workers_is_killed_the_other_takes_over(kafka: Broker, tmp_path: Path) -> None:
    boot, topic, ledger = (
        kafka.bootstrap_servers,
        await make_topic(kafka.bootstrap_servers, 4),
        tmp_path / "l",
    )
    async with (
        WorkerProcess(boot, topic, ledger, "--slow", "0.1") as killed,
        WorkerProcess(boot, topic, ledger, "--slow", "0.1") as survivor,
    ):
        await killed.says("read=2")
        await survivor.says("read=2")
        values = await sent(boot, topic, 4, 2000)
        await killed.says("transaction")
        killed.process.kill()
        await survivor.says("read=4")
        await until_recorded(ledger, 8000)
        survivor.process.send_signal(signal.SIGTERM)
        assert await survivor.ends() == 0, survivor.said
    assert_each_once(ledger, values)


async def test_workers_that_come_and_go_lose_nothing(kafka: Broker, tmp_path: Path) -> None:
    boot, topic, ledger = (
        kafka.bootstrap_servers,
        await make_topic(kafka.bootstrap_servers, 4),
        tmp_path / "l",
    )
    values: dict[int, list[bytes]] = {p: [] for p in range(4)}
    async with WorkerProcess(boot, topic, ledger) as steady:
        await steady.says("assigned 0 1 2 3")
        for turn in range(4):
            async with WorkerProcess(boot, topic, ledger) as guest:
                for p, fresh in (await sent(boot, topic, 4, 500, start=turn * 500)).items():
                    values[p] += fresh
                await guest.says("assigned")
                guest.process.send_signal(signal.SIGTERM)
                assert await guest.ends() == 0, guest.said
        await until_recorded(ledger, 8000)
        steady.process.send_signal(signal.SIGTERM)
        assert await steady.ends() == 0, steady.said
    assert_each_once(ledger, values)
    # Everyone left in order, so nobody's transaction met a position that had moved on without it.
    assert rows(ledger, "SELECT * FROM refused") == []


async def test_a_worker_that_was_frozen_past_its_session_does_no_harm(kafka: Broker, tmp_path: Path) -> None:
    boot, topic, ledger = (
        kafka.bootstrap_servers,
        await make_topic(kafka.bootstrap_servers, 2),
        tmp_path / "l",
    )
    values = await sent(boot, topic, 2, 600)
    async with WorkerProcess(boot, topic, ledger) as frozen:
        await until_recorded(ledger, 1200)
        frozen.process.send_signal(signal.SIGSTOP)
        async with WorkerProcess(boot, topic, ledger) as heir:
            more = await sent(boot, topic, 2, 600, start=600)
            await until_recorded(ledger, 2400)
            frozen.process.send_signal(signal.SIGCONT)
            await frozen.says("assigned", times=2)
            last = await sent(boot, topic, 2, 600, start=1200)
            await until_recorded(ledger, 3600)
            for worker in (heir, frozen):
                worker.process.send_signal(signal.SIGTERM)
                assert await worker.ends() == 0, worker.said
    assert_each_once(ledger, {p: values[p] + more[p] + last[p] for p in values})
