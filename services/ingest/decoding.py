"""Fetched records to segments: decoded, and cut where a day barrier stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from aiokafka import ConsumerRecord

from ingest.numbering import Numbered
from ingest.records import Record, Rejection
from ingest.segments import Segment
from loanbook.domain.errors import RejectedEventError
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.wire import ReceivedDayClosed
from loanbook.wire_batch import decode_many


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


def decode_records(records: Sequence[tuple[Partition, ConsumerRecord]]) -> Numbered:
    """Decode records of partitions; what cannot be decoded carries the field and the reason."""
    decoded = decode_many([record.value or b"" for _, record in records])
    return Numbered.of(
        [
            Record(
                partition=partition,
                offset=record.offset,
                logged_at_ms=record.timestamp,
                key=record.key,
                raw=record.value,
                value=Rejection(value.reason, value.field)
                if isinstance(value, RejectedEventError)
                else value,
            )
            for (partition, record), value in zip(records, decoded, strict=True)
        ]
    )


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
