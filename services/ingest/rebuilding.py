"""Plain loans from their ledger rows alone: how they were opened, what was paid since, what was reversed.

A loan that holds anything else, or a payment that says more than its day and amount, is refused: the
general fold tells what becomes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from ingest.entries import is_named, is_revised, order_of, place_of, reversal_of
from ingest.opening_columns import OPENING, Entry, Opening, OpeningReader, UnusualError
from ingest.plain import PAYMENT, Order
from loanbook import wire
from loanbook.domain.events import (
    BranchMoved,
    CollectionAttempted,
    LoanApproved,
    OfficerChanged,
    PaymentReversed,
    PromiseMade,
)
from loanbook.domain.plain_history import Paid
from loanbook.postgres.ledger import TYPE_KEYS

_REVERSAL = TYPE_KEYS[PaymentReversed.TYPE]
_MOVES = {BranchMoved.TYPE: "branch", OfficerChanged.TYPE: "officer"}
_MOVED = {TYPE_KEYS[name]: name for name in _MOVES}
_SILENT = {TYPE_KEYS[fact.TYPE] for fact in (LoanApproved, CollectionAttempted, PromiseMade)}


class Rebuilt(NamedTuple):
    """What a plain loan's ledger rows come to."""

    opening: Opening
    moved: Mapping[str, str | None]  # branch and officer, where they are others since
    payments: list[Paid]  # those that count, in order
    named: list[str]  # ids that reversals name
    returned: int  # payments reversed by hand
    last: Order


def rebuilt(entries: Sequence[Entry], as_of: date, reader: OpeningReader) -> Rebuilt:
    """What the rows that count make of a loan; raises UnusualError where the general fold must say."""
    by_kind: dict[int, list[Entry]] = {}
    for entry in entries:
        by_kind.setdefault(entry["type_key"], []).append(entry)
    begin = [entry for kind in OPENING for entry in by_kind.pop(kind, ())]
    opening = reader.read(begin)
    payments, reversals = by_kind.pop(PAYMENT, []), by_kind.pop(_REVERSAL, [])
    moves = [entry for kind in _MOVED for entry in by_kind.pop(kind, ())]
    silent = [entry for kind in _SILENT for entry in by_kind.pop(kind, ())]
    if by_kind or any(is_revised(entry) or entry["effective_on"] > as_of for entry in entries):
        raise UnusualError("other events, copies, corrections, or events of later days")
    _check_data(opening.currency, reversals, [*payments, *moves, *silent])
    payments.sort(key=place_of)
    moves.sort(key=place_of)
    begun = max(map(order_of, begin))
    if any(order_of(entry) <= begun for entry in (*payments[:1], *moves[:1], *reversals)):
        raise UnusualError("something came before the opening")
    undone = _undone(reversals, payments)
    return Rebuilt(
        opening=opening,
        moved=dict(map(_move, moves)),
        payments=[
            (payment["effective_on"].toordinal(), payment["amount_minor"])
            for payment in payments
            if payment["event_id"] not in undone.by_hand
        ],
        named=undone.named,
        returned=sum(undone.by_hand.values()),
        last=max(map(order_of, entries)),
    )


def _check_data(currency: str, reversals: Iterable[Entry], others: Iterable[Entry]) -> None:
    """All is in the loan's currency; and only reversals say more of how money counts than day and amount."""
    named = f'"currency":"{currency}"'.encode()
    for entry in others:
        data = entry["detail"]
        if b'"relates_to"' in data or b'"portions"' in data or b'"charge_id"' in data:
            raise UnusualError("a payment with portions, a charge or relations")
        _check_currency(data, named)
    for entry in reversals:
        _check_currency(entry["detail"], named)


def _check_currency(data: bytes, named: bytes) -> None:
    count = data.count(b'"currency"')
    if b"\\" in data or count > 1 or (count and named not in data):
        raise UnusualError("another currency, or one that cannot be told by the bytes")


class _Undone(NamedTuple):
    """Ids that reversals name, and of each payment they undo whether somebody did it by hand."""

    named: list[str]
    by_hand: dict[str, bool]


def _undone(reversals: Sequence[Entry], payments: Sequence[Entry]) -> _Undone:
    named: set[str] = set()
    by_hand: dict[str, bool] = {}
    for entry in reversals:
        fact = reversal_of(entry)
        undone = [payment["event_id"] for payment in payments if is_named(payment, fact)]
        if not undone:
            raise UnusualError("a reversal of no payment")
        named.update(fact.originals)
        for event_id in undone:
            by_hand[event_id] = fact.manual or by_hand.get(event_id, False)
    return _Undone(sorted(named), by_hand)


def _move(entry: Entry) -> tuple[str, str | None]:
    type_name = _MOVED[entry["type_key"]]
    name = _MOVES[type_name]
    return name, getattr(wire.decode_data(type_name, entry["detail"]), name)
