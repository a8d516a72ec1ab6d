"""Payments off the wire as columns: nearly every event is one, and most are never asked for as objects.

Taken are short payments of the usual form that only add to what was paid. All other events are left to
`wire_batch`, and so is whatever stands beside a doubtful one; a property holds both ways equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from loanbook import wire
from loanbook.domain.errors import RejectedEventError
from loanbook.domain.events import PaymentKind, PaymentPosted, wire_name
from loanbook.wire_rules import (
    DOUBTS,
    FIRST_DAY,
    LAST_DAY,
    check_names,
    doubtful_texts,
    exponent_of_code,
)
from loanbook.wire_times import moments_of

_DIGITS = 2  # of the currencies that most payments are in
_AMOUNT = re.compile(r"(?!0+\.00)[0-9]{1,13}\.[0-9]{2}")  # more than nothing, and less than the limit
_AMOUNTS = re.compile(rf"{_AMOUNT.pattern}(?:,{_AMOUNT.pattern})*")


Words = tuple[str, str, str | None]
"""The book, the source and the currency that an event names."""


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What `wire.Envelope` is, the time as written."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: str
    book: str
    sequence: wire.SequenceNumber | None = None
    data: msgspec.Raw


class Written(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename=wire_name):
    """What `PaymentPosted` is, the amount as written, and what makes a payment unusual just to see it."""

    effective_on: date
    business_on: date
    currency: str | None = None
    entity_id: str | None = None
    entity_version: int = 1
    relates_to: tuple[Any, ...] = ()
    amount_minor: str
    portions: Any = None
    kind: PaymentKind = PaymentKind.REPAYMENT
    channel: str | None = None
    charge_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """Payments among some events; a column has one value a payment."""

    places: list[int]  # among the events
    lines: list[Line]
    written: list[Written]
    contents: list[bytes]  # the data as it came
    said: list[int]  # place of its words
    words: list[Words]
    effective: NDArray[np.int64]  # ordinals
    business: NDArray[np.int64]
    recorded: NDArray[np.int64]  # the server's microseconds
    amount: NDArray[np.int64]  # minor units


_line_decoder = msgspec.json.Decoder(Line)
_data_decoder = msgspec.json.Decoder(Written)


def read_payments(raws: Sequence[bytes]) -> Payments | None:
    """Payments among some hundred events; None where there is none, or anything is doubtful."""
    try:
        return _read(raws)
    except DOUBTS:
        return None


def _read(raws: Sequence[bytes]) -> Payments | None:
    if max(map(len, raws), default=0) > wire.MAX_EVENT_BYTES:
        return None
    joined = b"".join(raws)
    if not joined.isascii():
        joined.decode()  # strings that are skipped are kept too, and must be readable later
    lines = [_line_decoder.decode(raw) for raw in raws]
    places = [place for place, line in enumerate(lines) if line.type == PaymentPosted.TYPE]
    contents = [bytes(lines[place].data) for place in places]
    written = [_data_decoder.decode(content) for content in contents]
    kept = _usual(written, contents)
    if not kept:
        return None
    if len(kept) < len(places):
        places, contents = [places[n] for n in kept], [contents[n] for n in kept]
        written = [written[n] for n in kept]
    lines = [lines[place] for place in places]
    words: dict[Words, int] = {}
    said = [
        words.setdefault((line.book, line.source, one.currency), len(words))
        for line, one in zip(lines, written, strict=True)
    ]
    names = [name for book, source, _ in words for name in (book, source)]
    check_names([*names, *(line.id for line in lines), *(line.subject for line in lines)])
    return Payments(
        places=places,
        lines=lines,
        written=written,
        contents=contents,
        said=said,
        words=list(words),
        effective=_ordinals([one.effective_on for one in written]),
        business=_ordinals([one.business_on for one in written]),
        recorded=moments_of([line.time for line in lines]),
        amount=_minor([one.amount_minor for one in written]),
    )


def _usual(written: Sequence[Written], contents: Sequence[bytes]) -> list[int]:
    """Which payments are short, of the usual form, and more than nothing."""
    currencies = {one.currency for one in written} - {None}
    usual = {currency for currency in currencies if exponent_of_code(currency) == _DIGITS}
    kept = [
        number
        for number, one in enumerate(written)
        if one.currency in usual
        and one.entity_version == 1
        and one.portions is None
        and not (one.relates_to or one.charge_id)
    ]
    doubtful = doubtful_texts(contents)
    if doubtful:
        kept = [number for number in kept if number not in doubtful]
    amounts = ",".join([written[number].amount_minor for number in kept])
    if not _AMOUNTS.fullmatch(amounts) or amounts.count(",") >= len(kept):
        kept = [number for number in kept if _AMOUNT.fullmatch(written[number].amount_minor)]
    return kept


def _ordinals(days: Sequence[date]) -> NDArray[np.int64]:
    ordinals = np.array([*map(date.toordinal, days)], np.int64)
    if ordinals.min() < FIRST_DAY.toordinal() or ordinals.max() > LAST_DAY.toordinal():
        raise RejectedEventError("a day is out of range")
    return ordinals


def _minor(amounts: Sequence[str]) -> NDArray[np.int64]:
    """Amounts of two decimals each: without their points they are whole numbers."""
    return np.fromstring(",".join(amounts).replace(".", ""), np.int64, sep=",")
