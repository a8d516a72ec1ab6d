"""What the ledger holds of plain loans, played as columns without decoding it.

Played are only loans whose whole history is one schedule or snapshot, payments, reversals and what moves no
money.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ingest.plain import Order
from ingest.records import Identity
from loanbook import wire
from loanbook.domain.events import (
    BranchMoved,
    CollectionAttempted,
    LoanApproved,
    LoanCreated,
    LoanDisbursed,
    LoanOpenedFromSnapshot,
    OfficerChanged,
    PaymentPosted,
    PaymentReversed,
    PromiseMade,
    SchedulePublished,
    wire_name,
)
from loanbook.domain.money import Minor, exponent_of
from loanbook.domain.plain import Flags, PlainLoans
from loanbook.domain.plain_history import Paid, Payments, payments_of
from loanbook.postgres.ledger import TYPE_KEYS

Entry = Mapping[str, Any]  # a row of select_entries.sql

_PAYMENT, REVERSAL, _SCHEDULE, _SNAPSHOT = (
    TYPE_KEYS[fact.TYPE]
    for fact in (PaymentPosted, PaymentReversed, SchedulePublished, LoanOpenedFromSnapshot)
)
_CONTRACT = {TYPE_KEYS[LoanCreated.TYPE], TYPE_KEYS[LoanDisbursed.TYPE], _SCHEDULE, _SNAPSHOT}
TALK = (CollectionAttempted, PromiseMade)  # moves nothing at all
PLACING = {*_CONTRACT, TYPE_KEYS[BranchMoved.TYPE]}  # what says where and what a loan is
_STAFFING = {TYPE_KEYS[fact.TYPE] for fact in (LoanCreated, LoanOpenedFromSnapshot, OfficerChanged)}
_SILENT = {TYPE_KEYS[fact.TYPE] for fact in (LoanApproved, OfficerChanged, BranchMoved, *TALK)}


class Playable(NamedTuple):
    """A loan's entries, sorted out; nothing but these moves it."""

    opening: Paid  # what a snapshot brought along; nothing on day 0 without one
    payments: list[Entry]  # in order
    reversals: list[tuple[Entry, PaymentReversed]]
    last: Order


class Played(NamedTuple):
    """What a loan's entries come to."""

    opening: Paid
    payments: list[Paid]  # those that count, in order
    named: list[str]  # ids that reversals name
    returned: int  # payments reversed by hand


class Snapshot(msgspec.Struct, frozen=True, rename=wire_name):
    """What is read of a `LoanOpenedFromSnapshot`: the rest of it stands in the loan's plan."""

    currency: str
    paid_minor: str
    paid_before: msgspec.Raw | None = None  # split by upstream, so perhaps not oldest first
    relates_to: msgspec.Raw | None = None


def playable_of(entries: Sequence[Entry]) -> Playable | None:
    """Sort out a loan's entries; None where anything but plain payments moved it."""
    kinds = [entry["type_key"] for entry in entries]
    odd = set(kinds) - _CONTRACT - _SILENT - {_PAYMENT, REVERSAL}
    if (
        odd
        or kinds.count(_SCHEDULE) + kinds.count(_SNAPSHOT) != 1
        or any(is_revised(entry) or entry["is_special"] for entry in entries)
    ):
        return None
    opening = _opening(entries)
    moving = [entry for entry in entries if entry["type_key"] in {_PAYMENT, REVERSAL}]
    begun = max(order_of(entry) for entry in entries if entry["type_key"] in _CONTRACT)
    if opening is None or any(order_of(entry) <= begun for entry in moving):
        return None
    payments = [entry for entry in moving if entry["type_key"] == _PAYMENT]
    payments.sort(key=place_of)
    reversals = [(entry, reversal_of(entry)) for entry in moving if entry["type_key"] == REVERSAL]
    return Playable(opening, payments, reversals, max(map(order_of, entries)))


def played(playable: Playable, but: Collection[Identity] = ()) -> Played | None:
    """What counts of these entries without some; None where a reversal undoes none of them."""
    payments = [entry for entry in playable.payments if identity_of(entry) not in but]
    reversals = [fact for entry, fact in playable.reversals if identity_of(entry) not in but]
    undone = [{identity_of(p) for p in payments if is_named(p, fact)} for fact in reversals]
    if not all(undone):
        return None
    gone = set().union(*undone)
    by_hand = set().union(*(ids for ids, fact in zip(undone, reversals, strict=True) if fact.manual))
    counting = [payment for payment in payments if identity_of(payment) not in gone] if gone else payments
    return Played(
        opening=playable.opening,
        payments=[(payment["effective_on"].toordinal(), payment["amount_minor"]) for payment in counting],
        named=sorted({name for fact in reversals for name in fact.originals}),
        returned=len(by_hand),
    )


def is_latest_officer(order: Order, entries: Sequence[Entry], new: Collection[Identity]) -> bool:
    """Whether none of these entries but the new ones says of that moment or a later one who has the loan."""
    said = (entry for entry in entries if entry["type_key"] in _STAFFING and identity_of(entry) not in new)
    return all(order_of(entry) < order for entry in said)


def all_payments(played: Sequence[Played]) -> Payments:
    """What has been paid on each loan, from its opening on."""
    return payments_of([one.opening for one in played], [one.payments for one in played])


def are_same(loans: PlainLoans, others: PlainLoans) -> Flags:
    """Where payments, sums and days of settlement are equal."""
    names = ("applied", "overpaid", "paid", "last_payment", "last_payment_day", "closed_day")
    same: Flags = (loans.met_day == others.met_day).all(axis=1)
    for name in names:
        same &= getattr(loans, name) == getattr(others, name)
    return same


def is_revised(entry: Entry) -> bool:
    """Whether it is a copy or a correction, which a schedule's versions are not."""
    is_corrected = entry["entity_version"] != 1 and entry["type_key"] != _SCHEDULE
    return bool(is_corrected or entry["is_copy"])


def identity_of(entry: Entry) -> Identity:
    """Under which the ledger has it once."""
    return (entry["loan_key"], entry["event_id"], entry["source_key"])


def order_of(entry: Entry) -> Order:
    """The head of its event's order."""
    return (entry["effective_on"], entry["business_on"], entry["sequence"], entry["recorded_at"])


def place_of(entry: Entry) -> tuple[Any, ...]:
    """Its place among a loan's payments, or among other events of one kind and the first version."""
    return (*order_of(entry), entry["entity_id"] or "", entry["event_id"])


def reversal_of(entry: Entry) -> PaymentReversed:
    """The reversal whose data an entry holds."""
    fact = wire.decode_data(PaymentReversed.TYPE, entry["detail"])
    assert isinstance(fact, PaymentReversed)  # noqa: S101 - the decoder of its type
    return fact


def _opening(entries: Sequence[Entry]) -> Paid | None:
    """What a loan brought along; None where that is not one sum spread oldest first."""
    for entry in entries:
        if entry["type_key"] == _SNAPSHOT:
            try:
                snapshot = msgspec.json.decode(entry["detail"], type=Snapshot)
            except msgspec.ValidationError:  # it names no currency
                return None
            if snapshot.paid_before is not None or snapshot.relates_to is not None:
                return None
            paid = Minor.parse(snapshot.paid_minor, exponent_of(snapshot.currency))
            return (entry["effective_on"].toordinal(), paid)
    return (0, 0)


def is_named(entry: Entry, fact: PaymentReversed) -> bool:
    """Whether a reversal undoes an entry, if it is a payment."""
    names = fact.originals
    return entry["event_id"] in names or entry["entity_id"] in names
