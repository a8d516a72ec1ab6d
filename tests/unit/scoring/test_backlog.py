"""The backlog holds each loan once, gives no slice away twice at a time, and loses nothing."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.backlog import Backlog

NOW = datetime(2026, 5, 15, tzinfo=UTC)


async def test_a_loan_noticed_many_times_waits_once() -> None:
    backlog = Backlog()
    for _ in range(1_000):
        backlog.add(3, [7, 8], NOW)
    assert len(backlog) == 2
    work = await backlog.take(10)
    assert (work.loans, len(work.committed_at)) == ({7: 3, 8: 3}, 1_000)
    assert len(backlog) == 0


async def test_a_slice_under_way_is_not_given_to_a_second_lane() -> None:
    backlog = Backlog()
    backlog.add(1, [10])
    first = await backlog.take(10)
    backlog.add(1, [11])
    backlog.add(2, [20])
    assert (await backlog.take(10)).loans == {20: 2}
    waiting = asyncio.create_task(backlog.take(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    backlog.done(first)
    assert (await waiting).loans == {11: 1}


async def test_a_notice_is_answered_only_with_the_last_of_its_loans() -> None:
    backlog = Backlog()
    backlog.add(1, range(5), NOW)
    first = await backlog.take(3)
    backlog.done(first)
    second = await backlog.take(3)
    assert (len(first.loans), first.committed_at) == (3, ())
    assert (len(second.loans), second.committed_at) == (2, (NOW,))


async def test_slices_that_wait_are_taken_together() -> None:
    backlog = Backlog()
    backlog.add(1, [10], NOW)
    backlog.add(2, [20, 21], NOW)
    first = await backlog.take(2)
    assert (first.loans, first.committed_at) == ({10: 1, 20: 2}, (NOW,))
    backlog.done(first)
    assert (await backlog.take(2)).loans == {21: 2}


async def test_what_has_just_come_in_goes_before_what_a_new_day_brings_which_gets_a_tenth_meanwhile() -> None:
    backlog = Backlog()
    backlog.add(1, range(100), NOW)
    backlog.add(2, range(200, 300))
    backlog.add(2, [207, 250], NOW, is_first=True)
    first = await backlog.take(100)
    assert list(first.loans)[:3] == [207, 250, 0]
    assert (len(first.loans), first.committed_at) == (12, (NOW,))
    backlog.done(first)
    assert len((await backlog.take(100)).loans) == 10


async def test_what_a_new_day_brings_goes_by_whole_transactions_once_nothing_else_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backlog = Backlog()
    backlog.add(1, range(100), NOW)
    backlog.add(2, range(200, 300), NOW, is_first=True)
    first = await backlog.take(100)
    assert [sum(key < 200 for key in first.loans), len(first.loans)] == [10, 100]
    backlog.done(first)
    monkeypatch.setattr("scoring.backlog._CALM_S", 0.0)
    rest = await backlog.take(1_000)
    assert len(rest.loans) == 100


async def test_the_first_loan_waits_for_others_but_not_for_more_than_are_taken() -> None:
    backlog = Backlog(collect=timedelta(hours=1))
    backlog.add(1, [10])
    waiting = asyncio.create_task(backlog.take(3))
    await asyncio.sleep(0)
    backlog.add(2, [20])
    await asyncio.sleep(0)
    assert not waiting.done()
    backlog.add(1, [11])
    assert (await waiting).loans == {10: 1, 11: 1, 20: 2}


async def test_what_waited_for_a_lane_is_not_held_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    backlog = Backlog(collect=timedelta(hours=1))
    now = time.monotonic()
    backlog.add(1, [10, 11])
    backlog.done(await backlog.take(1))
    monkeypatch.setattr("scoring.backlog.time.monotonic", lambda: now + 3_601)
    backlog.add(2, [20])
    assert (await backlog.take(10)).loans == {11: 1, 20: 2}


@given(
    notices=st.lists(st.sets(st.integers(0, 999), min_size=1, max_size=400), max_size=10),
    loans_max=st.integers(1, 100),
)
def test_every_noticed_loan_comes_out(notices: list[set[int]], loans_max: int) -> None:
    async def drained() -> set[tuple[int, int]]:
        backlog = Backlog()
        for keys in notices:
            for number in range(4):
                backlog.add(number, [key for key in keys if key % 4 == number], is_first=number > 1)
        out: set[tuple[int, int]] = set()
        while len(backlog):
            work = await backlog.take(loans_max)
            assert len(work.loans) <= loans_max
            out |= {(slice_, key) for key, slice_ in work.loans.items()}
            backlog.done(work)
        return out

    assert asyncio.run(drained()) == {(key % 4, key) for keys in notices for key in keys}
