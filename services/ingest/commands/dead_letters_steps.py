"""The steps of a dead letter: looked at, corrected by one person, approved by another, sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ingest.commands.database import insert_audit
from ingest.records import Book, reference_fault
from loanbook import wire
from loanbook.domain.errors import LoanbookError, RejectedEventError
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection
from loanbook.topics import LOAN_EVENTS
from loanbook.wire import Received, ReceivedDayClosed, ReceivedReference

_HERE = "ingest.commands"
_ALL = 1_000_000


class DeadLetterError(LoanbookError):
    """A step cannot be taken with this dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a dead letter stood in the log: `TOPIC/PARTITION/OFFSET`, or `PARTITION/OFFSET` of the events."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def read(cls, text: str) -> Place:
        """The place of a text; raises ValueError."""
        *topic, partition, offset = text.split("/")
        name = "/".join(topic) or LOAN_EVENTS
        return cls(topic=name, partition=int(partition), offset=int(offset))

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that could not be taken, and what was done about it."""

    cluster_id: str
    place: Place
    reason: str
    field: str | None
    key: bytes | None
    raw: bytes
    first_seen: datetime
    age_s: float
    state: str  # open, corrected, approved, replayed
    corrected: bytes | None
    corrected_by: str | None
    approved_by: str | None
    replayed_at: datetime | None

    @property
    def id(self) -> tuple[str, str, int, int]:
        """Its key in the table."""
        return (self.cluster_id, self.place.topic, self.place.partition, self.place.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which dead letters are meant: some places, or all in a state, perhaps with a text in the reason."""

    places: tuple[Place, ...] = ()
    reason: str | None = None
    state: str | None = None
    limit: int = _ALL


async def select_dead_letters(connection: Connection, choice: Choice) -> list[DeadLetter]:
    """Dead letters, oldest first; raises DeadLetterError for a place without one."""
    places = choice.places
    columns: Sequence[Sequence[object] | None] = (None, None, None)
    if places:
        columns = [p.topic for p in places], [p.partition for p in places], [p.offset for p in places]
    sql = load_sql(_HERE, "select_dead_letters")
    rows = await connection.fetch(sql, *columns, choice.reason, choice.state, choice.limit)
    letters = [_letter(row) for row in rows]
    found = [letter.place for letter in letters]
    for place in places:
        if place not in found:
            word = f"{choice.state} " if choice.state else ""
            raise DeadLetterError(f"there is no {word}dead letter at {place}")
        if found.count(place) > 1:
            raise DeadLetterError(f"{place} names dead letters of two Kafka clusters")
    return letters


async def correct(connection: Connection, letter: DeadLetter, corrected: bytes | None, by: str) -> None:
    """Put a correction beside a dead letter, None for its own bytes; DeadLetterError when still faulty."""
    raw = letter.raw if corrected is None else corrected
    rows = await connection.fetch(load_sql("ingest", "select_books"))
    books = {row["book"]: Book(**dict(row)) for row in rows}
    fault = fault_of(raw, letter, books)
    if fault is not None:
        raise DeadLetterError(f"{letter.place} would be a dead letter again: {fault}")
    one_line = bytes(msgspec.json.format(raw, indent=-1))
    await _step(connection, "correct_dead_letter", letter, one_line, by)


async def approve(connection: Connection, letter: DeadLetter, by: str) -> None:
    """Approve a correction; raises DeadLetterError where the author is the one who approves."""
    if letter.corrected is None:
        raise DeadLetterError(f"{letter.place} has no correction yet")
    if letter.corrected_by == by:
        raise DeadLetterError(f"{letter.place} was corrected by {by}: another person must approve it")
    await _step(connection, "approve_dead_letter", letter, letter.corrected, by)


async def mark_replayed(connection: Connection, letter: DeadLetter, by: str) -> None:
    """Note that a correction was sent again."""
    async with connection.transaction():
        sql = load_sql(_HERE, "mark_replayed")
        if await connection.fetchval(sql, *letter.id, letter.corrected) is None:
            raise DeadLetterError(f"{letter.place} was changed meanwhile; its correction has been sent")
        await insert_audit(connection, by, "dead_letter_replayed", _named(letter))


def fault_of(raw: bytes, letter: DeadLetter, books: Mapping[str, Book]) -> str | None:
    """What would make a record a dead letter again, as far as it can be told before it is sent."""
    try:
        value = wire.decode(raw)
    except RejectedEventError as error:
        return str(error)
    if isinstance(value, Received):
        if value.event.book not in books:
            return f"unknown book {value.event.book!r}"
        if letter.field == "id" and value.event.event_id == _id_of(letter.raw):
            return "its id is still the one that was used before with other content"
        return None
    rejection = reference_fault(value, books)
    return None if rejection is None else rejection.reason


def decoded(letter: DeadLetter) -> Received | ReceivedDayClosed | ReceivedReference:
    """The corrected event; it was decoded when it was corrected."""
    return wire.decode(letter.corrected or b"")


async def _step(connection: Connection, name: str, letter: DeadLetter, corrected: bytes, by: str) -> None:
    async with connection.transaction():
        done = await connection.fetchval(load_sql(_HERE, name), *letter.id, corrected, by)
        if done is None:
            raise DeadLetterError(f"{letter.place} was changed or sent meanwhile: look again")
        # What is erased from a dead letter must not live on here.
        details = _named(letter) | {"sha256": hashlib.sha256(corrected).hexdigest()}
        await insert_audit(connection, by, _WORDS[name], details)


_WORDS = {"correct_dead_letter": "dead_letter_corrected", "approve_dead_letter": "dead_letter_approved"}


def _named(letter: DeadLetter) -> dict[str, Any]:
    return {"cluster_id": letter.cluster_id, "place": str(letter.place), "reason": letter.reason}


def _letter(row: Mapping[str, Any]) -> DeadLetter:
    place = Place(topic=row["topic"], partition=row["partition"], offset=row["kafka_offset"])
    same = [name for name in DeadLetter.__dataclass_fields__ if name != "place"]
    return DeadLetter(place=place, **{name: row[name] for name in same})


def _id_of(raw: bytes) -> str | None:
    try:
        value = wire.decode(raw)
    except RejectedEventError:
        return None
    return value.event.event_id if isinstance(value, Received) else None
