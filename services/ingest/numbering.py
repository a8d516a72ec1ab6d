"""Records with numbers beside them: what is asked of every event, read off while the event is at hand.

Ten thousand events do not stay in the processor's caches until their transaction begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from ingest.locked import Ints
from ingest.records import Record, Rejection
from loanbook.domain.errors import RejectedEventError
from loanbook.domain.events import FACTS, Fact, LoanEvent, PaymentPosted
from loanbook.kafka.batches import LogRecord, Partition
from loanbook.postgres.binary_copy import NO_FIELD, SIZES
from loanbook.topics import loan_keys_of, slices_of
from loanbook.wire import Received
from loanbook.wire_batch import decode_many
from loanbook.wire_payments import Payments

ORDER = ("effective", "business", "sequence", "recorded")  # as `ordinals` gives them
NUMBERS = np.dtype([(name, np.int64) for name in (*ORDER, "amount", "slice", "loan_key", "offset", "said")])
"""Of a record its offset; of an event of a loan also its order, its loan and which of the names said are its
own (else -1); of a payment that only adds to what was paid also the amount in minor units (else 0)."""

_NOTHING = np.zeros(0, np.int64)
_EPOCH_S = 946_684_800  # 2000-01-01, from which the server counts microseconds
_DETAIL_MAX = len(SIZES) - 1  # bytes of an event's data: a longer one is not kept twice
_PARTS = {  # of a book that facts of a type name
    fact: parts
    for fact in FACTS
    if (parts := [kind for kind in ("branch", "product", "officer") if kind in fact.__struct_fields__])
}


Logged: TypeAlias = tuple[Partition, LogRecord]


class Said(NamedTuple):
    """Names that most events have in common."""

    book: str
    source: str
    currency: str | None


class Named(NamedTuple):
    """A part of a book that an event names: kind, the book's name, its own."""

    kind: str
    book: str
    name: str


@dataclass(frozen=True, slots=True)
class Numbered(Sequence[Record]):
    """Records as a log has them, each with its row of numbers; a payment becomes an object if asked for."""

    records: list[Record | Logged]
    loan_ids: Sequence[str]  # of an event of a loan
    numbers: NDArray[Any]  # of NUMBERS
    texts: Sequence[bytes]  # of a payment with an amount what `_text_of` gives, of others nothing
    said: tuple[Said, ...] = ()  # by these records, and perhaps by neighbors
    named: frozenset[Named] = frozenset()  # likewise

    @classmethod
    def of(cls, records: Sequence[Record]) -> Numbered:
        """Read whole records off."""
        numbers = np.zeros(len(records), NUMBERS)
        numbers["offset"], numbers["said"] = [record.offset for record in records], -1
        places = [place for place, record in enumerate(records) if type(record.value) is Received]
        values: list[Any] = [records[place].value for place in places]
        events = [value.event for value in values]
        said: dict[tuple[str, str, str | None], int] = {}
        loan_ids, texts = [""] * len(records), [b""] * len(records)
        if events:
            for name, column in _columns_of(values, events).items():
                numbers[name][places] = column
            numbers["said"][places] = [said.setdefault(words, len(said)) for words in said_in(events)]
            for place, event in zip(places, events, strict=True):
                loan_ids[place] = event.loan_id
            for place in np.flatnonzero(numbers["amount"]).tolist():
                value: Any = records[place].value
                texts[place] = _text_of(
                    value.event.sequence, value.event.event_id, value.event.fact.entity_id, value.data
                )
        return cls([*records], loan_ids, numbers, texts, tuple(map(Said._make, said)), names_in(events))

    @classmethod
    def paid(cls, logged: Sequence[Logged], payments: Payments) -> Numbered:
        """Read off what was logged of payments."""
        lines, numbers = payments.lines, np.empty(len(logged), NUMBERS)
        numbers["effective"], numbers["business"] = payments.effective, payments.business
        numbers["sequence"] = [line.sequence or 0 for line in lines]
        numbers["recorded"], numbers["amount"] = payments.recorded, payments.amount
        loan_ids = [line.subject for line in lines]
        ids = [loan_id.encode() for loan_id in loan_ids]
        numbers["slice"] = slices_of(ids)
        numbers["loan_key"] = loan_keys_of([line.book for line in lines], ids)
        numbers["offset"] = [record.offset for _, record in logged]
        numbers["said"] = payments.said
        texts = [
            _text_of(line.sequence, line.id, one.entity_id, data)
            for line, one, data in zip(lines, payments.written, payments.contents, strict=True)
        ]
        return cls([*logged], loan_ids, numbers, texts, tuple(map(Said._make, payments.words)))

    @classmethod
    def joined(cls, parts: Sequence[Numbered]) -> Numbered:
        """Records part after part."""
        if len(parts) == 1:
            return parts[0]
        # As plain integers: numpy would compare the layouts of all parts first.
        plain = np.concatenate([_NOTHING, *(part.numbers.view(np.int64) for part in parts)])
        numbers = plain.view(NUMBERS)
        before = accumulate((len(part.said) for part in parts), initial=0)
        shift = np.repeat(np.array(list(before)[:-1], np.int64), [len(part) for part in parts])
        numbers["said"] += shift * (numbers["said"] >= 0)
        return cls(
            [record for part in parts for record in part.records],
            [loan_id for part in parts for loan_id in part.loan_ids],
            numbers,
            [text for part in parts for text in part.texts],
            tuple(words for part in parts for words in part.said),
            frozenset().union(*(part.named for part in parts)),
        )

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.whole(range(len(self))))

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Numbered: ...
    def __getitem__(self, place: int | slice) -> Record | Numbered:
        if isinstance(place, int):
            return self.whole([place])[0]
        records, loan_ids = self.records[place], self.loan_ids[place]
        return Numbered(records, loan_ids, self.numbers[place], self.texts[place], self.said, self.named)

    def among(self, others: Numbered, places: Sequence[int]) -> Numbered:
        """These records between others: their places, in order, are those in the whole."""
        records, loan_ids, texts = [*others.records], [*others.loan_ids], [*others.texts]
        for number, place in enumerate(places):
            records.insert(place, self.records[number])
            loan_ids.insert(place, self.loan_ids[number])
            texts.insert(place, self.texts[number])
        own = self.numbers.copy()
        own["said"] += len(others.said) * (own["said"] >= 0)
        numbers = np.insert(others.numbers, np.array(places) - np.arange(len(places)), own)
        said, named = (*others.said, *self.said), others.named | self.named
        return Numbered(records, loan_ids, numbers, texts, said, named)

    def whole(self, places: Sequence[int]) -> list[Record]:
        """The records at these places; those that are no objects yet become some now, together."""
        found: list[Any] = [self.records[place] for place in places]
        raw = [number for number, record in enumerate(found) if type(record) is tuple]
        for number, record in zip(raw, decoded([found[number] for number in raw]), strict=True):
            self.records[places[number]] = found[number] = record
        return found

    def entry(self, place: int) -> tuple[int, bytes | None]:
        """When the broker took a record, in milliseconds, and its bytes."""
        record = self.records[place]
        if isinstance(record, Record):
            return record.logged_at_ms, record.raw
        return record[1].timestamp, record[1].value


def decoded(logged: Sequence[Logged]) -> list[Record]:
    """What was logged, as objects; what cannot be decoded carries the field and the reason."""
    values = decode_many([record.value or b"" for _, record in logged])
    return [
        Record(
            partition=partition,
            offset=record.offset,
            logged_at_ms=record.timestamp,
            key=record.key,
            raw=record.value,
            value=Rejection(value.reason, value.field) if isinstance(value, RejectedEventError) else value,
        )
        for (partition, record), value in zip(logged, values, strict=True)
    ]


def said_in(events: Iterable[LoanEvent]) -> list[tuple[str, str, str | None]]:
    """What each event says of the names in `Said`."""
    return [(event.book, event.source, event.fact.currency) for event in events]


def names_in(events: Iterable[LoanEvent]) -> frozenset[Named]:
    """The branches, products and officers that events name."""
    return frozenset(
        Named(kind, event.book, name)
        for event in events
        if type(event.fact) in _PARTS
        for kind in _PARTS[type(event.fact)]
        if (name := getattr(event.fact, kind)) is not None
    )


def is_plain_payment(fact: Fact, data: bytes) -> bool:
    """Whether an event is a payment that, once its day has come, only adds to what was paid."""
    return (
        type(fact) is PaymentPosted
        and fact.portions is None
        and not fact.charge_id
        and not fact.relates_to
        and fact.entity_version == 1
        and fact.amount_minor > 0
        and len(data) <= _DETAIL_MAX
    )


def ordinals(
    effective: Sequence[date], business: Sequence[date], sequence: Sequence[int], recorded: Sequence[datetime]
) -> list[Ints]:
    """Orders as columns: two ordinals, the sequence, the server's microseconds."""
    seconds = np.array([*map(datetime.timestamp, recorded)])
    return [
        np.array([*map(date.toordinal, effective)], np.int64),
        np.array([*map(date.toordinal, business)], np.int64),
        np.array(sequence, np.int64),
        np.rint((seconds - _EPOCH_S) * 1_000_000).astype(np.int64),
    ]


def _columns_of(values: Sequence[Received], events: Sequence[LoanEvent]) -> dict[str, Ints]:
    facts: list[Any] = [event.fact for event in events]
    order = ordinals(
        [fact.effective_on for fact in facts],
        [fact.business_on for fact in facts],
        [event.sequence or 0 for event in events],
        [event.recorded_at for event in events],
    )
    ids = [event.loan_id.encode() for event in events]
    amounts = [
        fact.amount_minor if is_plain_payment(fact, value.data) else 0
        for fact, value in zip(facts, values, strict=True)
    ]
    return dict(zip(ORDER, order, strict=True)) | {
        "amount": np.array(amounts, np.int64),
        "slice": slices_of(ids),
        "loan_key": loan_keys_of([event.book for event in events], ids),
    }


def _text_of(sequence: int | None, event_id: str, entity: str | None, data: bytes) -> bytes:
    """Of a payment, as fields of a COPY: its sequence, its id, its entity's id, its data."""
    identity, entity_id = event_id.encode(), b"" if entity is None else entity.encode()
    return b"".join((
        NO_FIELD if sequence is None else SIZES[8] + sequence.to_bytes(8, "big", signed=True),
        SIZES[len(identity)], identity,
        NO_FIELD if entity is None else SIZES[len(entity_id)], entity_id,
        SIZES[len(data)], data,
    ))  # fmt: skip
