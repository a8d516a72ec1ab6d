"""Fetched records to segments: decoded, and cut where a day barrier stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ingest.numbering import Logged, Numbered, decoded
from ingest.segments import Segment
from loanbook.kafka.batches import RecordBatch
from loanbook.wire import ReceivedDayClosed
from loanbook.wire_payments import read_payments


def together(batches: Iterable[RecordBatch], records_max: int) -> Iterator[list[RecordBatch]]:
    """Neighbors of so many records in all: what a fetch gives of a partition may be a single one."""
    group: list[RecordBatch] = []
    for batch in batches:
        if group and sum(map(len, group)) + len(batch) > records_max:
            yield group
            group = []
        group.append(batch)
    if group:
        yield group


def decode_records(logged: Sequence[Logged]) -> Numbered:
    """Decode what partitions logged, best some hundred records at a time."""
    payments = read_payments([record.value or b"" for _, record in logged])
    if payments is None:
        return Numbered.of(decoded(logged))
    paid = Numbered.paid([logged[place] for place in payments.places], payments)
    if len(paid) == len(logged):
        return paid
    is_other = np.ones(len(logged), np.bool_)
    is_other[payments.places] = False
    places = np.flatnonzero(is_other).tolist()
    return Numbered.of(decoded([logged[place] for place in places])).among(paid, places)


def cut(batch: RecordBatch, records: Numbered) -> Iterator[Segment]:
    """Segments of a batch: each ends behind a day barrier or with the batch; the last closes the batch."""
    start, from_offset = 0, batch.from_offset
    for index in (np.flatnonzero(records.numbers["said"][:-1] < 0) + 1).tolist():
        if isinstance(records[index - 1].value, ReceivedDayClosed):
            next_offset = records[index - 1].offset + 1
            yield _segment(batch, from_offset, next_offset, records[start:index])
            start, from_offset = index, next_offset
    yield _segment(batch, from_offset, batch.next_offset, records[start:])


def _segment(batch: RecordBatch, from_offset: int, next_offset: int, records: Numbered) -> Segment:
    return Segment(
        partition=batch.partition, from_offset=from_offset, next_offset=next_offset, records=records
    )
