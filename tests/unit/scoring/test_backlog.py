"""The backlog holds each loan once, gives no slice away twice at a time, and loses nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

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
    assert (work.loan_keys, len(work.committed_at)) == ((7, 8), 1_000)
    assert len(backlog) == 0


async def test_a_slice_under_way_is_not_given_to_a_second_lane() -> None:
    backlog = Backlog()
    backlog.add(1, [10])
    first = await backlog.take(10)
    backlog.add(1, [11])
    backlog.add(2, [20])
    assert (await backlog.take(10)).slice == 2
    waiting = asyncio.create_task(backlog.take(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    backlog.done(first)
    assert (await waiting).loan_keys == (11,)


async def test_a_notice_is_answered_only_with_the_last_of_its_loans() -> None:
    backlog = Backlog()
    backlog.add(1, range(5), NOW)
    first = await backlog.take(3)
    backlog.done(first)
    second = await backlog.take(3)
    assert (len(first.loan_keys), first.committed_at) == (3, ())
    assert (len(second.loan_keys), second.committed_at) == (2, (NOW,))


async def test_it_is_idle_only_when_nothing_is_under_way() -> None:
    backlog = Backlog()
    backlog.add(1, [10])
    work = await backlog.take(10)
    assert not backlog.idle
    backlog.done(work)
    assert backlog.idle


@given(
    notices=st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 30), min_size=1)), max_size=30),
    loans_max=st.integers(1, 10),
)
def test_every_noticed_loan_comes_out(notices: list[tuple[int, set[int]]], loans_max: int) -> None:
    async def drained() -> set[tuple[int, int]]:
        backlog = Backlog()
        for slice_, keys in notices:
            backlog.add(slice_, keys)
        out: set[tuple[int, int]] = set()
        while len(backlog):
            work = await backlog.take(loans_max)
            out |= {(work.slice, key) for key in work.loan_keys}
            backlog.done(work)
        return out

    assert asyncio.run(drained()) == {(slice_, key) for slice_, keys in notices for key in keys}
