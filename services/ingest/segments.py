"""Records of one partition that go into one transaction, and which of them were not applied before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.numbering import Numbered
from loanbook.kafka.batches import Partition
from loanbook.wire import ReceivedDayClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Records of one partition that go into one transaction; it ends where a day barrier stands."""

    partition: Partition
    from_offset: int
    next_offset: int
    records: Numbered

    @property
    def barrier(self) -> ReceivedDayClosed | None:
        """The day.closed this segment ends with, if it does."""
        is_event = not self.records or self.records.numbers["said"][-1] >= 0
        last = None if is_event else self.records[-1].value
        return last if isinstance(last, ReceivedDayClosed) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Segments that may be applied, trimmed of what already was, and those with a gap before them."""

    segments: list[Segment]
    refused: list[tuple[Partition, int]]


def trim(segments: Sequence[Segment], next_offsets: Mapping[Partition, int]) -> Claimed:
    """Drop what was applied before; what starts beyond its position is refused with all after it."""
    taken: list[Segment] = []
    refused: dict[Partition, int] = {}
    following = dict(next_offsets)
    for segment in segments:
        partition = segment.partition
        position = following.get(partition, segment.from_offset)
        if partition in refused or segment.from_offset > position:
            refused.setdefault(partition, position)
        elif segment.next_offset > position:
            taken.append(_from(segment, position))
            following[partition] = segment.next_offset
    return Claimed(segments=taken, refused=list(refused.items()))


def _from(segment: Segment, position: int) -> Segment:
    if segment.from_offset == position:
        return segment
    first = int(np.searchsorted(segment.records.numbers["offset"], position))
    return replace(segment, from_offset=position, records=segment.records[first:])
