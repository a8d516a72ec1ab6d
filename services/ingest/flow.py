"""One batch of events, top to bottom: what is decided, in the order in which it happens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from ingest.cache import LoanCache
from ingest.locked import Locked, row_of
from ingest.plain import PlainBatch, PlainChanges, Rules, arrange, choose, choose_none, fold_plain
from ingest.records import (
    BatchOutcome,
    Book,
    ChangedLoan,
    Claimed,
    Identity,
    LedgerRow,
    LoanRef,
    Record,
    Rejection,
    Remembered,
    Segment,
    StoredLoan,
    Tally,
    reference_fault,
)
from ingest.rows import stored_loan
from loanbook.domain.events import LoanCreated, LoanEvent, LoanOpenedFromSnapshot
from loanbook.domain.loan import Loan, fold
from loanbook.domain.settings import ProductSettings
from loanbook.kafka.batches import Partition
from loanbook.postgres.ledger import TYPE_KEYS
from loanbook.topics import loan_key_of, slices_of
from loanbook.wire import Received, ReceivedDayClosed, ReceivedReference

_OTHER = (ReceivedDayClosed, ReceivedReference)  # records that are no events of a loan


class Directory(Rules, Protocol):
    """Names to surrogate keys; complete for a batch once `prepare` has run."""

    def source_key(self, uri: str) -> int:
        """Key of an event source."""

    def settings(self, book_key: int, product: str | None) -> ProductSettings:
        """The product's rules, or the defaults."""

    def counts(self, book_key: int, type_key: int, source: str) -> bool:
        """Whether this source has the word on this event type."""


class Unit(Protocol):
    """One transaction; what it locks it locks in the order of these methods."""

    @property
    def books(self) -> Mapping[str, Book]:
        """The books by name, read under their locks by `claim`."""

    @property
    def directory(self) -> Directory:
        """Names to keys, complete for the batch."""

    async def claim(self, segments: Sequence[Segment]) -> Claimed:
        """Lock the books (shared) and the positions; trim, and refuse gaps."""

    async def lock_loans(self, rows: Sequence[LedgerRow]) -> dict[LoanRef, Locked]:
        """Insert missing loans, then lock all in key order."""

    async def known(self, rows: Sequence[LedgerRow]) -> Collection[Identity]:
        """Which of these the ledger holds already."""

    async def append(self, batch: PlainBatch) -> bool:
        """Write payments believed to be new; False, and nothing written, when one was known."""

    async def remember(self, rows: Sequence[LedgerRow]) -> Remembered:
        """Write the ledger rows that are new."""

    async def histories(self, refs: Iterable[LoanRef]) -> dict[LoanRef, list[LoanEvent]]:
        """All events of these loans, the fresh ones included."""

    async def save(
        self, changes: Sequence[ChangedLoan], fresh: Sequence[LedgerRow], plain: PlainChanges | None = None
    ) -> None:
        """Write states, plans, roll-up differences and the notice."""

    async def refer(self, references: Sequence[ReceivedReference]) -> None:
        """Write borrowers' and branches' attributes, the latest of each."""

    async def bury(self, dead: Sequence[tuple[Record, Rejection]]) -> None:
        """Write dead letters with their original bytes."""

    async def advance(self, segments: Sequence[Segment], tallies: Mapping[Partition, Tally]) -> None:
        """Move the positions with their counters, and note the day barriers reached."""


class LoanStore(Protocol):
    """Where loans and positions are kept."""

    async def prepare(self, records: Iterable[Record]) -> None:
        """Make keys for names not met before, in a transaction of their own."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open one transaction; leaving it commits."""


async def record_batch(segments: Sequence[Segment], store: LoanStore, cache: LoanCache) -> BatchOutcome:
    """Apply a batch of events to their loans, each once, in one transaction."""
    await store.prepare(record for segment in segments for record in segment.records)
    async with store.transaction() as unit:
        claimed = await unit.claim(segments)
        records = [record for segment in claimed.segments for record in segment.records]
        rows, dead = sort_out(records, unit)
        locked = await unit.lock_loans(rows)
        arrivals = arrange(rows, locked)
        batch, others = choose(arrivals, await unit.known(arrivals.earlier), unit.directory)
        if not await unit.append(batch):  # one was known after all: the general way tells which
            batch, others = choose_none(arrivals)
        remembered = await unit.remember(others)
        changes = await fold_changed(unit, locked, remembered.fresh, cache)
        plain = fold_plain(batch, unit.directory) if batch.rows else None
        await unit.save(changes, remembered.fresh, plain)
        await unit.refer([r.value for r in records if isinstance(r.value, ReceivedReference)])
        dead += [(row.record, Rejection("id was used before with other content", "id"))
                 for row in remembered.conflicts]  # fmt: skip
        await unit.bury(dead)
        remembered.fresh.extend(batch.rows)
        await unit.advance(claimed.segments, tallies(claimed.segments, remembered, dead))
    cache.keep(changes)
    return BatchOutcome(
        applied=len(remembered.fresh),
        duplicates=len(remembered.duplicates),
        conflicts=len(remembered.conflicts),
        dead=len(dead),
        dead_by_partition=Counter(record.partition for record, _ in dead),
        loans=len(changes) + len(batch.loans),
        refused=claimed.refused,
    )


def sort_out(records: Iterable[Record], unit: Unit) -> tuple[list[LedgerRow], list[tuple[Record, Rejection]]]:
    """Ledger rows of the loan events, and the records that are faulty without any context."""
    taken: list[tuple[Record, Received, Book]] = []
    dead: list[tuple[Record, Rejection]] = []
    for record in records:
        value = record.value
        if isinstance(value, Rejection):
            dead.append((record, value))
        elif isinstance(value, Received):
            book = unit.books.get(value.event.book)
            if book is None:
                dead.append((record, Rejection(f"unknown book {value.event.book!r}", "book")))
            else:
                taken.append((record, value, book))
        elif (fault := reference_fault(value, unit.books)) is not None:
            dead.append((record, fault))
    return ledger_rows(taken, unit.directory), dead


def ledger_rows(taken: Sequence[tuple[Record, Received, Book]], directory: Directory) -> list[LedgerRow]:
    """Events with their place in the tables."""
    slices = slices_of([value.event.loan_id for _, value, _ in taken])
    return [
        LedgerRow(
            ref=LoanRef(number, loan_key_of(value.event.book, value.event.loan_id)),
            book=book,
            source_key=directory.source_key(value.event.source),
            event=value.event,
            record=record,
            data=value.data,
        )
        for number, (record, value, book) in zip(slices, taken, strict=True)
    ]


def tallies(
    segments: Iterable[Segment], remembered: Remembered, dead: Sequence[tuple[Record, Rejection]]
) -> dict[Partition, Tally]:
    """What became of the records, by partition; each fate is counted by itself, so that sums can be held."""
    received: Counter[Partition] = Counter()
    other: Counter[Partition] = Counter()
    for segment in segments:
        received[segment.partition] += len(segment.records)
        other[segment.partition] += sum(isinstance(record.value, _OTHER) for record in segment.records)
    other.subtract(record.partition for record, _ in dead if isinstance(record.value, _OTHER))
    taken = _by_partition(row.record for row in remembered.fresh)
    duplicates = _by_partition(row.record for row in remembered.duplicates)
    died = _by_partition(record for record, _ in dead)
    return {
        p: Tally(received=count, taken=taken[p], duplicates=duplicates[p], dead=died[p], other=other[p])
        for p, count in received.items()
    }


async def fold_changed(
    unit: Unit, locked: Mapping[LoanRef, Locked], fresh: Sequence[LedgerRow], cache: LoanCache
) -> list[ChangedLoan]:
    """Fold every loan that has a new event, from the cache where it is current, else from the ledger."""
    by_loan: dict[LoanRef, list[LedgerRow]] = defaultdict(list)
    for row in fresh:
        by_loan[row.ref].append(row)
    stored = {ref: stored_loan(row_of(locked[ref])) for ref in by_loan}
    cold = [ref for ref in by_loan if not cache.holds(ref, stored[ref].version)]
    histories = await unit.histories(cold)
    changes = []
    for ref in sorted(by_loan):
        rows = by_loan[ref]
        loan_id, new = rows[0].event.loan_id, [row.event for row in rows]
        if ref in histories:
            known, before = histories[ref], None
        else:
            kept, before = cache.get(ref)
            known = [*kept, *new]
        subject = Subject(ref=ref, loan_id=loan_id, stored=stored[ref], events=known, fresh=new)
        changes.append(change(subject, rows[0].book, before, unit.directory))
    return changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A loan to fold: its row as locked, all its events, and those among them that are new."""

    ref: LoanRef
    loan_id: str
    stored: StoredLoan
    events: list[LoanEvent]
    fresh: Sequence[LoanEvent] = ()


def change(subject: Subject, book: Book, before: Loan | None, directory: Directory) -> ChangedLoan:
    """Fold a loan at its book's day; `before` is worked out again unless the cache still has it."""
    fault = None
    if before is None and subject.stored.version and not subject.stored.quarantined:
        fresh = {(event.source, event.event_id) for event in subject.fresh}
        older = [event for event in subject.events if (event.source, event.event_id) not in fresh]
        before, fault = refold(subject, replace(book, business_on=subject.stored.as_of), older, directory)
    earlier = before if not subject.fresh and fault is None else None
    after, quarantine = refold(subject, book, subject.events, directory, earlier=earlier)
    return ChangedLoan(
        ref=subject.ref,
        book_key=book.book_key,
        stored=subject.stored,
        before=before,
        after=after,
        events=subject.events,
        quarantine=quarantine,
    )


def refold(
    subject: Subject,
    book: Book,
    events: Sequence[LoanEvent],
    directory: Directory,
    *,
    earlier: Loan | None = None,
) -> tuple[Loan, str | None]:
    """Fold a loan's events at the book's business day; a fault quarantines this loan alone."""
    counting = counted(events, book, directory)
    product = product_of(counting)
    settings = directory.settings(book.book_key, product)
    try:
        loan = fold(book.book, subject.loan_id, counting, settings, book.business_on, earlier=earlier)
    except Exception as error:  # noqa: BLE001 - one loan's fault must not stop the others; it is shown
        reason = f"{type(error).__name__}: {error}"[:500]
        return Loan(book=book.book, loan_id=subject.loan_id, as_of=book.business_on), reason
    # The short cut finds the settings by the product the loan has now.
    return loan if loan.product == product else replace(loan, plain_plan=b""), None


def counted(events: Iterable[LoanEvent], book: Book, directory: Directory) -> list[LoanEvent]:
    """The events whose source has the word on what they say."""
    return [
        event for event in events if directory.counts(book.book_key, TYPE_KEYS[event.fact.TYPE], event.source)
    ]


def product_of(events: Iterable[LoanEvent]) -> str | None:
    """The product that the loan was opened with, whichever event came first."""
    opened = [e for e in events if isinstance(e.fact, LoanCreated | LoanOpenedFromSnapshot)]
    if not opened:
        return None
    fact = min(opened, key=lambda event: event.order).fact
    return fact.product if isinstance(fact, LoanCreated | LoanOpenedFromSnapshot) else None


def _by_partition(records: Iterable[Record]) -> Counter[Partition]:
    # They stand together by partition: a comparison of one object with itself is cheaper than a hash.
    counts: Counter[Partition] = Counter()
    for partition, group in groupby(records, attrgetter("partition")):
        counts[partition] += sum(1 for _ in group)
    return counts
