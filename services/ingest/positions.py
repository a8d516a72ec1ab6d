"""Taking partitions over: the stored positions, checked against the log they belong to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from aiokafka import ConsumerRecord

from ingest.errors import PositionLostError
from ingest.records import Position, fingerprint_of
from ingest.store import PostgresLoanStore
from loanbook.kafka.batches import Partition

_HINT = "look with `loanpulse positions list`, go on with `loanpulse positions accept-gap`"


class Log(Protocol):
    """What must be known of Kafka's log."""

    async def log_range(self, partition: Partition) -> tuple[int, int]:
        """Offsets of its start and its last stable end."""

    async def read_record(self, partition: Partition, offset: int) -> ConsumerRecord | None:
        """The record at an offset, if there is one."""


async def take_over(
    store: PostgresLoanStore, log: Log, partitions: Collection[Partition], owner: str
) -> dict[Partition, Position]:
    """Positions to go on from; raises PositionLostError where log and position do not belong together."""
    stored = await store.select_positions(list(partitions))
    found: dict[Partition, Position] = {}
    for partition in sorted(partitions, key=str):
        start, end = await log.log_range(partition)
        position = stored.get(partition)
        if position is None:
            found[partition] = Position(next_offset=start)
        else:
            await _check(log, partition, position, start, end)
            found[partition] = position
    await store.insert_positions({p: position.next_offset for p, position in found.items()}, owner)
    return found


async def _check(log: Log, partition: Partition, position: Position, start: int, end: int) -> None:
    if not start <= position.next_offset <= end:
        msg = (
            f"{partition}: the stored position {position.next_offset} is outside the log ({start} to {end}); "
            f"events may be missing: {_HINT}"
        )
        raise PositionLostError(msg)
    if position.fingerprint is None or position.next_offset == start:
        return  # nothing applied yet, or the last record has gone by retention
    record = await log.read_record(partition, position.next_offset - 1)
    if record is not None and fingerprint_of(record.value) != position.fingerprint:
        msg = f"{partition}: the record before {position.next_offset} is not the one applied: {_HINT}"
        raise PositionLostError(msg)
