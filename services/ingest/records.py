"""What one batch is made of: decoded records, the rows they become, the differences they cause."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import msgspec

from loanbook.domain.events import LoanEvent
from loanbook.domain.loan import Loan
from loanbook.kafka.batches import Partition
from loanbook.postgres.ledger import TYPE_KEYS
from loanbook.wire import Received, ReceivedDayClosed, ReceivedReference

DAYS_AHEAD_MAX = 400  # a day.closed further ahead is a mistake, not a pause in the feed


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that cannot be taken, with the field and the reason."""

    reason: str
    field: str | None


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One Kafka record, decoded; the bytes stay for the dead letters and the fingerprint."""

    partition: Partition
    offset: int
    logged_at_ms: int  # the broker's clock when it took the record
    key: bytes | None
    raw: bytes | None
    value: Received | ReceivedDayClosed | ReceivedReference | Rejection


class LoanRef(NamedTuple):
    """Names a loan in the tables; sorts in the order in which loans are locked."""

    slice: int
    loan_key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A lender's legal entity with its running business day."""

    book_key: int
    book: str
    business_on: date
    settings_version: int = 0  # of its products; rises with each change


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLoan:
    """The row of a loan as locked: what the roll-ups hold of it, and how it was folded."""

    version: int  # 0: the loan is new
    as_of: date
    quarantined: bool
    cell: RollupCell
    measures: RollupMeasures
    past_due_on: date | None = None
    is_plain: bool = False


class RollupCell(NamedTuple):
    """Key of core.book_now but for the slice: the roll-ups lie in slices by the branch, not by the loans."""

    book_key: int
    currency_key: int
    branch_key: int
    product_key: int
    bucket: int
    status: int


class RollupMeasures(NamedTuple):
    """Values of core.book_now, in minor units but for the count."""

    loans: int = 0
    disbursed_minor: int = 0
    paid_minor: int = 0
    principal_minor: int = 0
    outstanding_minor: int = 0
    overdue_minor: int = 0
    overdue_principal_minor: int = 0
    estimated_loans: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLoan:
    """A loan that was folded again: its new state beside what was stored and known before."""

    ref: LoanRef
    book_key: int
    stored: StoredLoan
    before: Loan | None
    after: Loan
    events: list[LoanEvent]
    quarantine: str | None = None
    is_whole: bool = False  # every part is written, whatever changed; its cash is left to the recomputation

    @property
    def version(self) -> int:
        """The version that will be stored."""
        return self.stored.version + 1


@dataclass(slots=True, kw_only=True)
class BatchOutcome:
    """What became of a batch, for the metrics and for what follows the commit."""

    applied: int = 0
    duplicates: int = 0
    conflicts: int = 0
    dead: int = 0
    loans: int = 0
    refused: list[tuple[Partition, int]] = field(default_factory=list)  # gaps: seek there
    dead_by_partition: Counter[Partition] = field(default_factory=Counter)


Identity = tuple[int, str, int]
"""Loan key, event id and source key: what makes an event one."""
Content = tuple[int, bytes]
"""Type key and data: what two events of one identity must share."""


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event with everything core.event wants to know of it but the day of receipt."""

    ref: LoanRef
    book: Book
    source_key: int
    event: LoanEvent
    record: Record
    data: bytes

    @property
    def identity(self) -> Identity:
        """Under which the ledger has it once."""
        return (self.ref.loan_key, self.event.event_id, self.source_key)

    @property
    def content(self) -> Content:
        """What a repetition has, too."""
        return (TYPE_KEYS[self.event.fact.TYPE], self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the ledger made of the rows: new events, mere repetitions, ids used twice."""

    fresh: list[LedgerRow]
    duplicates: list[LedgerRow]
    conflicts: list[LedgerRow]


class Tally(NamedTuple):
    """What became of the records of one partition in one batch; the first is the sum of the others."""

    received: int = 0
    taken: int = 0  # new rows of the ledger, whether they count or not
    duplicates: int = 0
    dead: int = 0
    other: int = 0  # ends of days and reference data


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a partition was applied, and the fingerprint of the last record."""

    next_offset: int
    fingerprint: bytes | None = None
    paused_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """A slice whose log has closed a day that its book has not left yet."""

    slice: int
    book: str
    business_on: date


def fingerprint_of(raw: bytes | None) -> bytes:
    """Of a record's value: tells whether the log still holds the record that was applied."""
    return hashlib.blake2b(raw or b"", digest_size=16).digest()


def reference_fault(
    value: ReceivedDayClosed | ReceivedReference, books: Mapping[str, Book]
) -> Rejection | None:
    """What is wrong with a day barrier or a reference, if anything."""
    book = books.get(value.book)
    if book is None:
        return Rejection(f"unknown book {value.book!r}", "book")
    if isinstance(value, ReceivedDayClosed):
        ahead = (value.day.business_on - book.business_on).days
        if ahead > DAYS_AHEAD_MAX:
            return Rejection(f"closes a day {ahead} days ahead of the book's", "data.business_date")
    return None
