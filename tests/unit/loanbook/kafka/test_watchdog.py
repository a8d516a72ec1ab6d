"""When a worker counts as stalled, and that the one who notices says where everything stands."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from loanbook.domain.errors import FatalError
from loanbook.kafka.stopping import STUCK_EXIT_CODE, HardStop
from loanbook.kafka.watchdog import StallGauge, Watchdog, describe_tasks


def test_lag_without_acks_is_a_stall_only_after_the_whole_limit() -> None:
    gauge = StallGauge(looks=3)
    assert [gauge.look(lag=5, acks=0, waiting_reason=None) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    ("lag", "acks", "waiting_reason"),
    [(0, 0, None), (5, 1, None), (5, 0, "the database is away"), (None, 0, None)],
    ids=["no lag", "an ack", "a reason to wait", "Kafka does not tell"],
)
def test_any_sign_of_life_starts_the_count_anew(
    lag: int | None, acks: int, waiting_reason: str | None
) -> None:
    gauge = StallGauge(looks=3)
    for _ in range(2):
        gauge.look(lag=5, acks=0, waiting_reason=None)
    assert not gauge.look(lag=lag, acks=acks, waiting_reason=waiting_reason)
    assert [gauge.look(lag=5, acks=acks, waiting_reason=None) for _ in range(3)] == [False, False, True]


def watchdog(ended: list[int], limit: timedelta, lag: int = 1) -> Watchdog:
    async def told() -> int:
        return lag

    return Watchdog(limit=limit, lag=told, acks=lambda: 0, waiting_reason=lambda: None, end=ended.append)


async def test_a_stalled_worker_is_told_by_a_fatal_error() -> None:
    with pytest.raises(FatalError, match="a lag of 1 and no ack"):
        await watchdog([], timedelta(milliseconds=60)).run()


async def test_a_blocked_event_loop_is_noticed_from_outside_it() -> None:
    ended: list[int] = []
    watching = asyncio.create_task(watchdog(ended, timedelta(milliseconds=60), lag=0).run())
    await asyncio.sleep(0.02)
    assert not ended
    time.sleep(0.5)  # noqa: ASYNC251  the fault itself
    watching.cancel()
    assert ended == [STUCK_EXIT_CODE]


async def test_the_description_of_tasks_names_each_with_its_place() -> None:
    task = asyncio.create_task(asyncio.sleep(10), name="write to the database")
    await asyncio.sleep(0)
    text = describe_tasks()
    task.cancel()
    assert "write to the database" in text
    assert "test_watchdog.py" in text


def test_an_orderly_stop_that_hangs_ends_with_an_error() -> None:
    ended, done = [], threading.Event()

    def end(code: int) -> None:
        ended.append(code)
        done.set()

    stop = HardStop(timedelta(milliseconds=20), end)
    stop.arm()
    assert done.wait(5)
    assert ended == [STUCK_EXIT_CODE]


def test_hanging_only_in_taking_leave_is_no_error() -> None:
    ended, done = [], threading.Event()

    def end(code: int) -> None:
        ended.append(code)
        done.set()

    stop = HardStop(timedelta(milliseconds=50), end)
    stop.arm()
    stop.work_is_done()
    assert done.wait(5)
    assert ended == [0]


def test_a_stop_in_time_ends_nothing() -> None:
    ended: list[int] = []
    stop = HardStop(timedelta(milliseconds=20), ended.append)
    stop.arm()
    stop.disarm()
    time.sleep(0.1)
    assert ended == []
