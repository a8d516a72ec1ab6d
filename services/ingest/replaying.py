"""Backdated and reversed payments of plain loans: all payments again, as columns, from the ledger's rows.

Taken are only loans whose whole history is one schedule or snapshot, payments, reversals and what moves no
money, and whose stored state is what their payments give; every other loan is folded the general way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ingest.choosing import is_plain_payment
from ingest.locked import Locked, LockedColumns
from ingest.plain import Order, PlainChanges, Rules, are_plain, loans_of, ordinals
from ingest.records import Identity, LedgerRow, LoanRef
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
from loanbook.domain.plain_figures import plain_figures
from loanbook.domain.plain_history import Paid, Payments, pay_all, payments_of, taken_back, unpaid
from loanbook.postgres.ledger import TYPE_KEYS

Entry = Mapping[str, Any]  # a row of select_entries.sql

_PAYMENT, _REVERSAL, _SCHEDULE, _SNAPSHOT = (
    TYPE_KEYS[fact.TYPE]
    for fact in (PaymentPosted, PaymentReversed, SchedulePublished, LoanOpenedFromSnapshot)
)
_BEFORE_PAYMENTS = {TYPE_KEYS[LoanCreated.TYPE], TYPE_KEYS[LoanDisbursed.TYPE], _SCHEDULE, _SNAPSHOT}
_TALK = (CollectionAttempted, PromiseMade)  # moves nothing at all
_SILENT = {TYPE_KEYS[fact.TYPE] for fact in (LoanApproved, OfficerChanged, BranchMoved, *_TALK)}


class Played(NamedTuple):
    """What a loan's entries come to."""

    opening: Paid  # what a snapshot brought along; nothing on day 0 without one
    payments: list[Paid]  # those that count, in order
    named: list[str]  # ids that reversals name
    returned: int  # payments reversed by hand
    last: Order


class Snapshot(msgspec.Struct, frozen=True, rename=wire_name):
    """What is read of a `LoanOpenedFromSnapshot`: the rest of it stands in the loan's plan."""

    currency: str
    paid_minor: str
    paid_before: msgspec.Raw | None = None  # split by upstream, so perhaps not oldest first
    relates_to: msgspec.Raw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """Plain loans with all their payments before and after the new events, in key order."""

    loans: list[Locked]
    fresh: list[list[LedgerRow]]
    before: list[Played]
    after: list[Played]
    changed_from: list[int]  # first closed day that the new events change, 0 for none

    def take(self, places: Sequence[int]) -> Replays:
        """The loans at these places."""
        return Replays(**{f.name: [getattr(self, f.name)[place] for place in places] for f in fields(self)})


def replayable(
    fresh: Iterable[LedgerRow], locked: Mapping[LoanRef, Locked], rules: Rules
) -> dict[LoanRef, list[LedgerRow]]:
    """New events of plain loans to which nothing came but payments, reversals and talk, by loan."""
    by_loan: dict[LoanRef, list[LedgerRow]] = defaultdict(list)
    for row in fresh:
        by_loan[row.ref].append(row)
    refs = sorted(by_loan)
    loans = LockedColumns.of([locked[ref] for ref in refs])
    currencies = loans["currency_key"].tolist()
    return {
        ref: by_loan[ref]
        for ref, plain, currency in zip(refs, are_plain(loans).tolist(), currencies, strict=True)
        if plain and all(_is_playable(row, currency, rules) for row in by_loan[ref])
    }


def replays_of(
    wanted: Mapping[LoanRef, list[LedgerRow]],
    locked: Mapping[LoanRef, Locked],
    entries: Mapping[LoanRef, Sequence[Entry]],
    rules: Rules,
) -> Replays:
    """Those of these loans whose entries can be played as columns."""
    found = Replays(loans=[], fresh=[], before=[], after=[], changed_from=[])
    for ref, rows in wanted.items():
        new = {row.identity for row in rows}
        book_key = rows[0].book.book_key
        counting = [e for e in entries[ref] if rules.counts_key(book_key, e["type_key"], e["source_key"])]
        before = played([entry for entry in counting if _identity(entry) not in new])
        after = played(counting)
        if before is not None and after is not None:
            found.loans.append(locked[ref])
            found.fresh.append(rows)
            found.before.append(before)
            found.after.append(after)
            found.changed_from.append(_changed_from(rows, counting))
    return found


def played(entries: Sequence[Entry]) -> Played | None:
    """What counts of a loan's entries; None where anything but plain payments moved it."""
    kinds = [entry["type_key"] for entry in entries]
    odd = set(kinds) - _BEFORE_PAYMENTS - _SILENT - {_PAYMENT, _REVERSAL}
    if odd or kinds.count(_SCHEDULE) + kinds.count(_SNAPSHOT) != 1 or any(map(_is_odd, entries)):
        return None
    opening = _opening(entries)
    moving = [entry for entry in entries if entry["type_key"] in {_PAYMENT, _REVERSAL}]
    begun = max(_order(entry) for entry in entries if entry["type_key"] in _BEFORE_PAYMENTS)
    if opening is None or any(_order(entry) <= begun for entry in moving):
        return None
    payments = [entry for entry in moving if entry["type_key"] == _PAYMENT]
    payments.sort(key=lambda entry: (*_order(entry), entry["entity_id"] or "", entry["event_id"]))
    reversals = [_reversal(entry) for entry in moving if entry["type_key"] == _REVERSAL]
    undone = [{_identity(p) for p in payments if _is_named(p, fact)} for fact in reversals]
    if not all(undone):
        return None
    gone = set().union(*undone)
    by_hand = set().union(*(ids for ids, fact in zip(undone, reversals, strict=True) if fact.manual))
    counting = [payment for payment in payments if _identity(payment) not in gone]
    return Played(
        opening=opening,
        payments=[(payment["effective_on"].toordinal(), payment["amount_minor"]) for payment in counting],
        named=sorted({name for fact in reversals for name in fact.originals}),
        returned=len(by_hand),
        last=max(map(_order, entries)),
    )


def explained(replays: Replays, rules: Rules) -> Replays:
    """Those of these loans whose stored state is what their payments gave before the new events."""
    if not replays.loans:
        return replays
    stored = loans_of(LockedColumns.of(replays.loans), rules)
    before = unpaid(stored)
    pay_all(before, _payments_of(replays.before))
    return replays.take(np.flatnonzero(_are_same(before, stored)).tolist())


def replay(replays: Replays, rules: Rules) -> PlainChanges:
    """Play the payments of these loans; there is at least one."""
    columns = LockedColumns.of(replays.loans)
    stored = loans_of(columns, rules)
    before, after = unpaid(stored), unpaid(stored)
    loans, day, gone = pay_all(before, _payments_of(replays.before))
    came = pay_all(after, _payments_of(replays.after))
    today = np.array([rows[0].book.business_on.toordinal() for rows in replays.fresh], np.int64)
    paid = [
        (place, row.event.fact.cash)
        for place, rows in enumerate(replays.fresh)
        for row in rows
        if type(row.event.fact) is PaymentPosted
    ]
    place, amount = np.array(paid, np.int64).reshape(-1, 2).T
    return PlainChanges(
        before=columns,
        today=today,
        loans=after,
        figures=plain_figures(after, today),
        received=[came, (loans, day, taken_back(gone))],
        last_order=ordinals(*zip(*(one.last for one in replays.after), strict=True)),
        changed_from=np.array(replays.changed_from, np.int64),
        paid=(place, amount),
        named={place: (one.named, one.returned) for place, one in enumerate(replays.after) if one.named},
    )


def _payments_of(played: Sequence[Played]) -> Payments:
    return payments_of([one.opening for one in played], [one.payments for one in played])


def _are_same(loans: PlainLoans, others: PlainLoans) -> Flags:
    """Where payments, sums and days of settlement are equal."""
    names = ("applied", "overpaid", "paid", "last_payment", "last_payment_day", "closed_day")
    same: Flags = (loans.met_day == others.met_day).all(axis=1)
    for name in names:
        same &= getattr(loans, name) == getattr(others, name)
    return same


def _is_playable(row: LedgerRow, currency_key: int, rules: Rules) -> bool:
    event, fact = row.event, row.event.fact
    if fact.currency is not None and rules.currency_key(fact.currency) != currency_key:
        return False
    if not rules.counts(row.book.book_key, TYPE_KEYS[fact.TYPE], event.source):
        return False
    if type(fact) is PaymentReversed:
        return fact.effective_on <= row.book.business_on and bool(fact.originals)
    if type(fact) in _TALK:
        return fact.effective_on <= row.book.business_on and not fact.relates_to
    return is_plain_payment(row)


def _changed_from(fresh: Sequence[LedgerRow], entries: Sequence[Entry]) -> int:
    """Ordinal of the first closed day that new events change, 0 for none: restating.first_changed_on."""
    days = [row.event.fact.effective_on for row in fresh]
    for row in fresh:
        if type(row.event.fact) is PaymentReversed:
            days += [entry["effective_on"] for entry in entries if _is_named(entry, row.event.fact)]
    first = min(days)
    return first.toordinal() if first < fresh[0].book.business_on else 0


def _is_odd(entry: Entry) -> bool:
    is_revised = entry["entity_version"] != 1 and entry["type_key"] != _SCHEDULE
    return bool(is_revised or entry["is_copy"] or entry["is_special"])


def _identity(entry: Entry) -> Identity:
    return (entry["loan_key"], entry["event_id"], entry["source_key"])


def _order(entry: Entry) -> Order:
    return (entry["effective_on"], entry["business_on"], entry["sequence"], entry["recorded_at"])


def _reversal(entry: Entry) -> PaymentReversed:
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


def _is_named(entry: Entry, fact: PaymentReversed) -> bool:
    names = fact.originals
    return entry["event_id"] in names or entry["entity_id"] in names
