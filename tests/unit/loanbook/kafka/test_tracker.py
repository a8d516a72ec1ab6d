"""The chain of offsets: whatever is cut, sought, acked or dropped, no batch hides a gap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from loanbook.kafka.batches import Partition, PartitionProgress, RecordBatch
from loanbook.kafka.tracker import DeliveryTracker

PARTITION = Partition("loan.events.v1", 3)


def records(*offsets: int) -> list[ConsumerRecord]:
    return [
        ConsumerRecord(PARTITION.topic, PARTITION.partition, offset, 0, 1, None, b"", None, -1, 0, ())
        for offset in offsets
    ]


def cut(tracker: DeliveryTracker, *offsets: int) -> RecordBatch:
    batch = tracker.cut(PARTITION, records(*offsets))
    assert batch is not None
    return batch


@pytest.fixture
def tracker() -> DeliveryTracker:
    tracker = DeliveryTracker()
    tracker.position(PARTITION, 10)
    return tracker


def test_a_batch_begins_where_the_one_before_it_ended_whatever_lies_between(tracker: DeliveryTracker) -> None:
    first, second = cut(tracker, 12, 13), cut(tracker, 17)
    assert (first.from_offset, first.next_offset) == (10, 14)
    assert (second.from_offset, second.next_offset) == (14, 18)


def test_records_of_a_partition_that_is_not_positioned_become_no_batch(tracker: DeliveryTracker) -> None:
    assert tracker.cut(Partition("loan.events.v1", 4), records(1)) is None
    tracker.drop([PARTITION])
    assert tracker.cut(PARTITION, records(12)) is None


def test_a_seek_makes_earlier_batches_stale_and_starts_the_chain_anew(tracker: DeliveryTracker) -> None:
    old = cut(tracker, 10, 11)
    tracker.position(PARTITION, 5)
    new = cut(tracker, 7)
    assert not tracker.is_current(old)
    assert tracker.is_current(new)
    assert new.from_offset == 5
    assert tracker.ack(old) is False
    assert tracker.queued(PARTITION) == 1


def test_only_what_is_acked_without_a_gap_may_be_committed(tracker: DeliveryTracker) -> None:
    first, second, third = cut(tracker, 10, 11), cut(tracker, 12), cut(tracker, 13)
    assert tracker.committable(PARTITION) is None
    tracker.ack(second)
    assert tracker.committable(PARTITION) is None
    tracker.ack(first)
    assert tracker.committable(PARTITION) == 13
    tracker.ack(third)
    assert tracker.committable(PARTITION) == 14
    assert tracker.queued(PARTITION) == 0


def test_acking_twice_counts_once(tracker: DeliveryTracker) -> None:
    first, _ = cut(tracker, 10, 11), cut(tracker, 12)
    tracker.ack(first)
    tracker.ack(first)
    assert tracker.queued(PARTITION) == 1


def test_dropping_all_forgets_every_partition(tracker: DeliveryTracker) -> None:
    tracker.position(Partition("loan.events.v1", 5), 0)
    tracker.drop()
    assert tracker.positioned() == frozenset()
    assert tracker.committable(PARTITION) is None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("cut"), st.lists(st.integers(0, 3), min_size=1, max_size=5)),
        st.tuples(st.just("seek"), st.integers(0, 50)),
        st.tuples(st.just("ack"), st.integers(0, 30)),
        st.tuples(st.just("drop"), st.none()),
    ),
    max_size=40,
)


def offsets_after(start: int, holes: list[int]) -> Iterator[int]:
    for hole in holes:
        start += hole
        yield start
        start += 1


@given(steps)
def test_current_batches_always_form_one_chain_from_the_seek_target(plan: list[tuple[str, object]]) -> None:
    tracker, log_end, start = DeliveryTracker(), 0, None
    made: list[RecordBatch] = []
    for step, detail in plan:
        if step == "seek":
            assert isinstance(detail, int)
            tracker.position(PARTITION, detail)
            start = log_end = detail
        elif step == "drop":
            tracker.drop()
            start = None
        elif step == "cut" and isinstance(detail, list):
            batch = tracker.cut(PARTITION, records(*offsets_after(log_end, detail)))
            assert (batch is None) == (start is None)
            if batch is not None:
                made.append(batch)
                log_end = batch.next_offset
        elif made and isinstance(detail, int):
            tracker.ack(made[detail % len(made)])
    current = [batch for batch in made if tracker.is_current(batch)]
    expected = start
    for batch in current:
        assert batch.from_offset == expected
        expected = batch.next_offset
    committable = tracker.committable(PARTITION)
    assert committable is None or committable in {batch.next_offset for batch in current}


@pytest.mark.parametrize(
    ("position", "end", "queued", "expected"),
    [
        (None, 0, 0, (False, 0)),
        (7, 7, 0, (True, 0)),
        (8, 7, 0, (True, 0)),
        (7, 7, 3, (False, 3)),
        (5, 7, 3, (False, 5)),
        (None, 7, 0, (False, 7)),
    ],
)
def test_caught_up_means_all_read_and_nothing_queued(
    position: int | None, end: int, queued: int, expected: tuple[bool, int]
) -> None:
    state = PartitionProgress(position=position, last_stable_offset=end, queued=queued)
    assert (state.caught_up, state.lag) == expected
