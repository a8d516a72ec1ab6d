"""The inbox gives no partition to two lanes, keeps the order of each, and lets little work go together."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from ingest.inbox import Inbox
from ingest.numbering import Numbered
from ingest.records import Record, Rejection
from ingest.segments import Segment
from loanbook.domain.events import DayClosed
from loanbook.kafka.batches import Partition
from loanbook.topics import LOAN_EVENTS
from loanbook.wire import ReceivedDayClosed


def named(number: int) -> Partition:
    return Partition(LOAN_EVENTS, number)


def a_segment(number: int, from_offset: int = 0, *, records: int = 1, closes: date | None = None) -> Segment:
    """Records of a partition, the last one a day's marker if it closes one."""
    partition = named(number)
    values: list[Any] = [Rejection("any", None)] * records
    if closes is not None:
        values[-1] = ReceivedDayClosed(book="demo", day=DayClosed(business_on=closes))
    return Segment(
        partition=partition,
        from_offset=from_offset,
        next_offset=from_offset + records,
        records=Numbered.of(
            [
                Record(partition=partition, offset=offset, logged_at_ms=0, key=None, raw=None, value=value)
                for offset, value in enumerate(values, from_offset)
            ]
        ),
    )


async def test_a_partition_under_way_is_not_given_to_a_second_lane() -> None:
    inbox = Inbox(100)
    await inbox.put([a_segment(1)])
    first = await inbox.take(10)
    await inbox.put([a_segment(1, 1)])
    await inbox.put([a_segment(2)])
    second = await inbox.take(10)
    assert [s.partition.partition for s in second] == [2]
    waiting = asyncio.create_task(inbox.take(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    await inbox.done(first)
    assert [(s.partition.partition, s.from_offset) for s in await waiting] == [(1, 1)]


async def test_all_is_applied_when_nothing_is_under_way_and_only_what_is_held_waits() -> None:
    inbox = Inbox(100)
    await inbox.put([a_segment(1)])
    await inbox.put([a_segment(2)])
    await inbox.hold([named(2)])
    applied = asyncio.create_task(inbox.applied())
    taken = await inbox.take(10)
    await asyncio.sleep(0)
    assert not applied.done()
    await inbox.done(taken)
    await applied
    assert inbox.records == 1


async def test_a_transaction_that_waits_for_rows_does_not_keep_other_partitions_from_being_fetched() -> None:
    inbox = Inbox(100)
    await inbox.put([a_segment(1)])
    taken = await inbox.take(10)
    await asyncio.wait_for(inbox.applied(), 5)
    await inbox.put([a_segment(2)])
    assert [s.partition.partition for s in [*taken, *await inbox.take(10)]] == [1, 2]


async def test_it_is_calm_a_while_after_the_last_record_came(monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = Inbox(100)
    assert inbox.is_calm
    await inbox.put([a_segment(1)])
    assert not inbox.is_calm
    monkeypatch.setattr("ingest.inbox._CALM_S", 0.0)
    assert inbox.is_calm


async def test_little_work_waits_for_the_transaction_that_runs_and_much_does_not() -> None:
    inbox = Inbox(1_000)
    await inbox.put([a_segment(1)])
    first = await inbox.take(100, 10)
    await inbox.put([a_segment(2)])
    waiting = asyncio.create_task(inbox.take(100, 10))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    await inbox.put([a_segment(3, records=10)])
    assert [s.partition.partition for s in await waiting] == [2, 3]
    await inbox.done(first)


async def test_little_work_does_not_wait_for_ever() -> None:
    inbox = Inbox(1_000)
    await inbox.put([a_segment(1)])
    await inbox.take(100, 10)  # a transaction that does not end
    await inbox.put([a_segment(2)])
    assert [s.partition.partition for s in await inbox.take(100, 10)] == [2]


async def test_what_has_waited_longest_goes_first_and_a_full_transaction_leaves_the_rest() -> None:
    inbox = Inbox(1_000)
    await inbox.put([a_segment(5, records=3), a_segment(5, 3, records=3)])
    await inbox.put([a_segment(4, records=3)])
    taken = await inbox.take(4)
    assert [(s.partition.partition, s.from_offset) for s in taken] == [(5, 0), (5, 3)]
    assert inbox.records == 3


async def test_nothing_follows_a_barrier_and_a_held_partition_waits_for_its_release() -> None:
    inbox = Inbox(1_000)
    await inbox.put([a_segment(1, closes=date(2026, 5, 15)), a_segment(1, 1)])
    taken = await inbox.take(10)
    await inbox.hold([named(1)])
    await inbox.done(taken)
    waiting = asyncio.create_task(inbox.take(10))
    await asyncio.sleep(0)
    assert len(taken) == 1
    assert not waiting.done()
    await inbox.release([named(1)])
    assert [s.from_offset for s in await waiting] == [1]


async def test_what_is_dropped_leaves_room_and_is_not_taken() -> None:
    inbox = Inbox(2)
    await inbox.put([a_segment(1, records=2)])
    putting = asyncio.create_task(inbox.put([a_segment(2)]))
    await asyncio.sleep(0)
    assert not putting.done()
    await inbox.drop([named(1)])
    await putting
    assert [s.partition.partition for s in await inbox.take(10)] == [2]


async def test_what_is_held_leaves_room_for_the_partitions_that_its_barrier_waits_for() -> None:
    inbox = Inbox(2)
    await inbox.put([a_segment(1, records=2)])
    putting = asyncio.create_task(inbox.put([a_segment(2)]))
    await asyncio.sleep(0)
    await inbox.hold([named(1)])
    await putting
    await inbox.put([a_segment(1, 2, records=2)])  # was under way: who holds it fetches no more
    assert inbox.is_held(named(1))
    assert [s.partition.partition for s in await inbox.take(10)] == [2]
