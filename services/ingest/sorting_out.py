"""Records of a batch, sorted out: events with their place in the tables, and what is faulty by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.plain import PAYMENT, ordinals
from ingest.records import Book, LedgerRow, LoanRef, Record, Rejection, reference_fault
from loanbook.domain.events import PaymentPosted
from loanbook.topics import loan_key_of, slices_of
from loanbook.wire import Received

ORDER = ("effective", "business", "sequence", "recorded")  # as `plain.ordinals` gives them
NUMBERS = np.dtype([(name, np.int64) for name in (*ORDER, "amount", "paid_in")])
"""Of an event: its order, and of a payment that only adds to what was paid the amount in minor units and
the key of the currency; 0 and -1 of any other event."""

TOGETHER = 500  # events looked at while they are at hand: ten thousand do not stay in the processor's caches
_DETAIL_MAX = 1000  # bytes of an event's data; a longer one would make the rows of all others as wide


class Names(Protocol):
    """What is asked of the directory here."""

    def source_key(self, uri: str) -> int:
        """Key of an event source."""

    def currency_key(self, code: str | None) -> int:
        """Key of a currency."""

    def counts_key(self, book_key: int, type_key: int, source_key: int) -> bool:
        """Whether a source has the word on an event type."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Events that the ledger takes, and what the short cut asks of them as columns."""

    rows: list[LedgerRow]
    numbers: NDArray[Any]  # of NUMBERS

    @classmethod
    def of(cls, parts: Iterable[list[LedgerRow]], names: Names) -> Taken:
        """Read the numbers of events, part by part."""
        read = [(part, _numbers_of(part, names)) for part in parts]
        numbers = np.concatenate([np.empty(0, NUMBERS), *(numbers for _, numbers in read)])
        return cls([row for part, _ in read for row in part], numbers)


def sort_out(
    records: Iterable[Record], books: Mapping[str, Book], names: Names
) -> tuple[Taken, list[tuple[Record, Rejection]]]:
    """Events of loans with their place in the tables, and the records that are faulty without any context."""
    taken: list[tuple[Record, Received]] = []
    dead: list[tuple[Record, Rejection]] = []
    for record in records:
        value = record.value
        if isinstance(value, Rejection):
            dead.append((record, value))
        elif not isinstance(value, Received):
            if (fault := reference_fault(value, books)) is not None:
                dead.append((record, fault))
        elif value.event.book in books:
            taken.append((record, value))
        else:
            dead.append((record, Rejection(f"unknown book {value.event.book!r}", "book")))
    parts = (taken[start : start + TOGETHER] for start in range(0, len(taken), TOGETHER))
    return Taken.of((_rows_of(part, books, names) for part in parts), names), dead


def is_plain_payment(row: LedgerRow) -> bool:
    """Whether an event is a payment that only adds to what was paid."""
    fact = row.event.fact
    return (
        type(fact) is PaymentPosted
        and fact.portions is None
        and not fact.charge_id
        and not fact.relates_to
        and fact.entity_version == 1
        and fact.effective_on <= row.book.business_on
        and fact.amount_minor > 0
        and len(row.data) <= _DETAIL_MAX
    )


def _rows_of(
    taken: Sequence[tuple[Record, Received]], books: Mapping[str, Book], names: Names
) -> list[LedgerRow]:
    slices = slices_of([value.event.loan_id for _, value in taken])
    return [
        LedgerRow(
            ref=LoanRef(number, loan_key_of(value.event.book, value.event.loan_id)),
            book=books[value.event.book],
            source_key=names.source_key(value.event.source),
            event=value.event,
            record=record,
            data=value.data,
        )
        for number, (record, value) in zip(slices, taken, strict=True)
    ]


def _numbers_of(rows: Sequence[LedgerRow], names: Names) -> NDArray[Any]:
    numbers = np.empty(len(rows), NUMBERS)
    events = [row.event for row in rows]
    facts = [event.fact for event in events]
    order = ordinals(
        [fact.effective_on for fact in facts],
        [fact.business_on for fact in facts],
        [event.sequence or 0 for event in events],
        [event.recorded_at for event in events],
    )
    for name, part in zip(ORDER, order, strict=True):
        numbers[name] = part
    numbers["amount"] = [row.event.fact.cash if is_plain_payment(row) else 0 for row in rows]
    said = [(fact.currency, row.book.book_key, row.source_key) for fact, row in zip(facts, rows, strict=True)]
    paid_in = {words: _currency_of(*words, names) for words in set(said)}
    numbers["paid_in"] = [paid_in[words] for words in said]
    numbers["paid_in"][numbers["amount"] == 0] = -1
    return numbers


def _currency_of(currency: str | None, book_key: int, source_key: int, names: Names) -> int:
    """Key of the currency in which a source says payments, -1 where it has no word on them."""
    return names.currency_key(currency) if names.counts_key(book_key, PAYMENT, source_key) else -1
