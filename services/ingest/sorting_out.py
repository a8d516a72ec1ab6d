"""Records of a batch, sorted out: events loan by loan in their order, and what is faulty by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.locked import Ints
from ingest.numbering import ORDER, Numbered, Said
from ingest.plain import PAYMENT
from ingest.records import Book, LedgerRow, LoanRef, Record, Rejection, reference_fault
from ingest.segments import Segment
from loanbook.domain.plain import Flags
from loanbook.kafka.batches import Partition
from loanbook.wire import Received

MEANING = np.dtype([(name, np.int64) for name in ("book_key", "source_key", "paid_in", "today")])
"""What the names that an event says come to: keys, the key of the currency in which its source says payments
(-1 where it has no word on them), the business day; all 0 where the book is not known."""


class Names(Protocol):
    """What is asked of the directory here."""

    def source_key(self, uri: str) -> int:
        """Key of an event source."""

    def currency_key(self, code: str | None) -> int:
        """Key of a currency."""

    def counts_key(self, book_key: int, type_key: int, source_key: int) -> bool:
        """Whether a source has the word on an event type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Events that the ledger takes, loan by loan in their order; a column has one value an event."""

    records: Numbered  # all of the batch, as they came
    books: Mapping[str, Book]
    partitions: Sequence[Partition]  # of the batch's segments
    arrived: Ints  # place among the records
    segment: Ints  # number of its segment
    numbers: NDArray[Any]  # of NUMBERS; a payment whose day has not come has no amount
    meaning: NDArray[Any]  # of MEANING
    place: Ints  # of its loan, in the order in which loans are locked
    first: Ints  # of each loan: number of its first event

    def __len__(self) -> int:
        return len(self.arrived)

    def rows(self, which: Ints) -> list[LedgerRow]:
        """Some of these events with all that the ledger keeps of them."""
        records: list[Any] = self.records.whole(self.arrived[which].tolist())
        numbers = self.numbers[which]
        source_keys = self.meaning["source_key"][which].tolist()
        refs = zip(numbers["slice"].tolist(), numbers["loan_key"].tolist(), strict=True)
        return [
            LedgerRow(
                ref=LoanRef(*ref),
                book=self.books[record.value.event.book],
                source_key=source_key,
                event=record.value.event,
                record=record,
                data=record.value.data,
            )
            for record, ref, source_key in zip(records, refs, source_keys, strict=True)
        ]

    def loan_ids(self) -> list[str]:
        """Of each loan its id, as its first event says it."""
        loan_ids = self.records.loan_ids
        return [loan_ids[place] for place in self.arrived[self.first].tolist()]

    def counts(self, which: Flags) -> Counter[Partition]:
        """How many of some of these events came by which partition."""
        counts: Counter[Partition] = Counter()
        for number, count in enumerate(np.bincount(self.segment[which]).tolist()):
            counts[self.partitions[number]] += count
        return counts


def sort_out(
    segments: Sequence[Segment], books: Mapping[str, Book], names: Names
) -> tuple[Taken, list[Record], list[tuple[Record, Rejection]]]:
    """Events of loans, other records, and those that are faulty without any context."""
    records = Numbered.joined([segment.records for segment in segments])
    meanings = [_meaning(said, books, names) for said in records.said]
    meaning = np.array([*meanings, (0, 0, 0, 0)], MEANING)[records.numbers["said"]]  # -1 is the last
    is_event = meaning["book_key"] > 0
    others, dead = _without_events(records.whole(np.flatnonzero(~is_event).tolist()), books)
    events = np.flatnonzero(is_event)
    ranks = [records.numbers[name][events] for name in ("slice", "loan_key", *ORDER)]
    arrived = events[np.lexsort(ranks[::-1])]
    numbers, meaning = records.numbers[arrived], meaning[arrived]
    numbers["amount"][numbers["effective"] > meaning["today"]] = 0
    is_first = _begins(numbers["slice"]) | _begins(numbers["loan_key"])
    taken = Taken(
        records=records,
        books=books,
        partitions=[segment.partition for segment in segments],
        arrived=arrived,
        segment=np.repeat(np.arange(len(segments)), [len(one.records) for one in segments])[arrived],
        numbers=numbers,
        meaning=meaning,
        place=np.cumsum(is_first) - 1,
        first=np.flatnonzero(is_first),
    )
    return taken, others, dead


def _begins(values: Ints) -> Flags:
    """Where a value is another than the one before."""
    return np.diff(values, prepend=values[:1] + 1) != 0  # type: ignore[no-any-return]


def _without_events(
    records: Sequence[Record], books: Mapping[str, Book]
) -> tuple[list[Record], list[tuple[Record, Rejection]]]:
    others, dead = [], []
    for record in records:
        fault = _fault_of(record, books)
        if fault is None:
            others.append(record)
        else:
            dead.append((record, fault))
    return others, dead


def _fault_of(record: Record, books: Mapping[str, Book]) -> Rejection | None:
    value = record.value
    if isinstance(value, Rejection):
        return value
    if isinstance(value, Received):
        return Rejection(f"unknown book {value.event.book!r}", "book")
    return reference_fault(value, books)


def _meaning(said: Said, books: Mapping[str, Book], names: Names) -> tuple[int, int, int, int]:
    book = books.get(said.book)
    if book is None:
        return 0, 0, 0, 0
    source_key = names.source_key(said.source)
    counts = names.counts_key(book.book_key, PAYMENT, source_key)
    paid_in = names.currency_key(said.currency) if counts else -1
    return book.book_key, source_key, paid_in, book.business_on.toordinal()
