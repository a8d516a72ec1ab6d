"""What a fetch gave is decoded in groups of neighbors, whole batches each."""

from __future__ import annotations

import pytest
from aiokafka import ConsumerRecord

from ingest.decoding import together
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.topics import LOAN_EVENTS


def batch(number: int, count: int) -> RecordBatch:
    records = [
        ConsumerRecord(LOAN_EVENTS, number, offset, 0, 0, None, b"{}", None, -1, 2, ())
        for offset in range(count)
    ]
    return RecordBatch(Partition(LOAN_EVENTS, number), 0, count, records, 1)


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ([], []),
        ([1, 1, 1], [[1, 1, 1]]),
        ([300, 200, 1], [[300, 200], [1]]),
        ([1, 900, 1, 1], [[1], [900], [1, 1]]),
    ],
)
def test_neighbors_go_together_up_to_so_many_records(counts: list[int], groups: list[list[int]]) -> None:
    batches = [batch(number, count) for number, count in enumerate(counts)]
    found = list(together(batches, 500))
    assert [[len(each) for each in group] for group in found] == groups
    assert [each for group in found for each in group] == batches
