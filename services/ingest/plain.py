"""The short cut of a batch: payments in order on plain loans, folded as columns, without histories.

What is strictly later than everything a loan had cannot be a repetition of it, and what is no
repetition, reversal or correction only adds to the sum paid: `loanbook.domain.plain` does the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from ingest.locked import Ints, Locked, LockedColumns
from ingest.records import Identity, LedgerRow, LoanRef
from loanbook.domain.events import PaymentPosted
from loanbook.domain.loan import FOLD_VERSION
from loanbook.domain.plain import Flags, PlainLoans, Received, met_days, pay, plans_of
from loanbook.domain.plain_figures import PlainFigures, plain_figures
from loanbook.postgres.ledger import TYPE_KEYS

PAYMENT = TYPE_KEYS[PaymentPosted.TYPE]
_DETAIL_MAX = 1000  # bytes of an event's data; a longer one would make the rows of all others as wide
_EPOCH_S = 946_684_800  # 2000-01-01, from which the server counts microseconds


class Rules(Protocol):
    """What the short cut asks of the directory."""

    def counts(self, book_key: int, type_key: int, source: str) -> bool:
        """Whether this source has the word on this event type."""

    def currency_key(self, code: str | None) -> int:
        """Key of a currency."""

    def rules(self, product_key: int) -> tuple[int, ...]:
        """A product's settings as `plain_figures.rules_of` gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """New events loan by loan in their order, and their locked loans; a column has one value an event."""

    loans: LockedColumns
    rows: list[LedgerRow]
    arrived: Ints  # number of each event among those that came
    place: Ints  # of the event's loan
    order: Sequence[Ints]  # head of LoanEvent.order: two ordinals, the sequence, the server's microseconds
    is_later: Flags  # than all its loan had, and than the arrival before it

    @property
    def earlier(self) -> list[LedgerRow]:
        """What may be a repetition: the ledger knows."""
        return [self.rows[number] for number in np.flatnonzero(~self.is_later).tolist()]

    def but(self, chosen: Flags) -> list[LedgerRow]:
        """All but the chosen ones, as they came."""
        left = np.flatnonzero(~chosen)
        return [self.rows[number] for number in left[np.argsort(self.arrived[left])].tolist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBatch:
    """Loans that take the short cut, in key order, and their new payments, loan by loan in order."""

    loans: LockedColumns
    rows: list[LedgerRow]
    place: Ints  # of each payment's loan
    order: Sequence[Ints]  # of each payment, as in Arrivals
    today: Ints  # ordinal of each loan's business day

    @property
    def amounts(self) -> Ints:
        """What was paid, in minor units."""
        return np.array([row.event.fact.cash for row in self.rows], np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainChanges:
    """Plain loans after their payments, with what these bring to the cash figures."""

    batch: PlainBatch
    loans: PlainLoans
    figures: PlainFigures
    received: list[tuple[Ints, Ints, Received]]  # places of the loans, the day and what came of it


def arrange(rows: Sequence[LedgerRow], locked: Mapping[LoanRef, Locked]) -> Arrivals:
    """Put events in the order of their loans and tell which are later than all that was known."""
    refs = sorted(locked)
    loans = LockedColumns.of([locked[ref] for ref in refs])
    places = {ref: place for place, ref in enumerate(refs)}
    place = np.array([places[row.ref] for row in rows], np.int64)
    order = _order_of(rows)
    arrived = np.lexsort((*reversed(order), place))
    place, order = place[arrived], [part[arrived] for part in order]
    return Arrivals(
        loans=loans,
        rows=[rows[number] for number in arrived.tolist()],
        arrived=arrived,
        place=place,
        order=order,
        is_later=_is_later(loans, place, order),
    )


def choose_idle(locked: Mapping[LoanRef, Locked], today: date) -> tuple[PlainBatch, dict[LoanRef, Locked]]:
    """Part plain loans for which nothing came but a new day from all others."""
    loans = LockedColumns.of(list(locked.values()))
    is_plain = _are_plain(loans)
    batch = PlainBatch(
        loans=loans.take(np.flatnonzero(is_plain)),
        rows=[],
        place=np.zeros(0, np.int64),
        order=[np.zeros(0, np.int64)] * 4,
        today=np.full(np.count_nonzero(is_plain), today.toordinal(), np.int64),
    )
    return batch, {
        ref: locked[ref] for ref, plain in zip(locked, is_plain.tolist(), strict=True) if not plain
    }


def choose(
    arrivals: Arrivals, known: Collection[Identity], rules: Rules
) -> tuple[PlainBatch, list[LedgerRow]]:
    """Part payments that may take the short cut from all other events; `known` are in the ledger already."""
    loans, place = arrivals.loans, arrivals.place
    is_plain = _are_plain(loans)
    candidates = np.flatnonzero(is_plain[place])
    fits = np.zeros(len(place), np.bool_)
    fits[candidates] = [
        _is_plain_payment(arrivals.rows[number], loans.rows[place[number]]) for number in candidates.tolist()
    ]
    fits &= _in_currency(arrivals, rules)
    repeats = _repeats(arrivals, known)
    is_plain[place[~repeats & ~(fits & arrivals.is_later)]] = False
    chosen = is_plain[place] & ~repeats
    return _batch(arrivals, chosen), arrivals.but(chosen)


def choose_none(arrivals: Arrivals) -> tuple[PlainBatch, list[LedgerRow]]:
    """Leave all events to the general way."""
    none = np.zeros(len(arrivals.rows), np.bool_)
    return _batch(arrivals, none), arrivals.but(none)


def fold_plain(batch: PlainBatch, rules: Rules) -> PlainChanges:
    """Add the payments to their loans, and read the loans off at their book's day."""
    loans = _loans_of(batch.loans, rules)
    amounts = batch.amounts
    turns = _turns(batch.place)
    received = []
    for turn in range(int(turns.max(initial=-1)) + 1):
        now = turns == turn
        which, day = batch.place[now], batch.order[0][now]
        received.append((which, day, pay(loans, which, day, amounts[now])))
    figures = plain_figures(loans, batch.today)
    return PlainChanges(batch=batch, loans=loans, figures=figures, received=received)


def _are_plain(loans: LockedColumns) -> Flags:
    flags: Flags = (loans["is_plain"] == 1) & (loans["fold_version"] == FOLD_VERSION)
    return flags


def _order_of(rows: Sequence[LedgerRow]) -> list[Ints]:
    """The head of LoanEvent.order; events alike in it are not told apart, and go the general way."""
    events = [row.event for row in rows]
    facts = [event.fact for event in events]
    ordinal = date.toordinal
    seconds = np.array([event.recorded_at.timestamp() for event in events])
    return [
        np.array([ordinal(fact.effective_on) for fact in facts], np.int64),
        np.array([ordinal(fact.business_on) for fact in facts], np.int64),
        np.array([event.sequence or 0 for event in events], np.int64),
        np.rint((seconds - _EPOCH_S) * 1_000_000).astype(np.int64),
    ]


def _is_later(loans: LockedColumns, place: Ints, order: Sequence[Ints]) -> Flags:
    names = ("last_effective_on", "last_business_on", "last_sequence", "last_recorded_at")
    is_new = _is_over(order, [loans[name][place] for name in names])
    is_first = np.diff(place, prepend=-1) > 0
    return is_new & (is_first | _is_over(order, [np.roll(part, 1) for part in order]))


def _is_over(order: Sequence[Ints], before: Sequence[Ints]) -> Flags:
    """Where one order is strictly above another, compared part by part."""
    is_over = np.zeros(len(order[0]), np.bool_)
    is_same = np.ones(len(order[0]), np.bool_)
    for part, part_before in zip(order, before, strict=True):
        is_over |= is_same & (part > part_before)
        is_same &= part == part_before
    return is_over


def _is_plain_payment(row: LedgerRow, locked: Locked) -> bool:
    event, fact = row.event, row.event.fact
    if type(fact) is not PaymentPosted or fact.portions is not None or fact.charge_id or fact.relates_to:
        return False
    if fact.entity_version != 1 or fact.effective_on > row.book.business_on or fact.amount_minor <= 0:
        return False
    named = locked["named_ids"]
    if named and (event.event_id in named or fact.entity_id in named):
        return False
    return len(row.data) <= _DETAIL_MAX


def _in_currency(arrivals: Arrivals, rules: Rules) -> Flags:
    """Whether an event is in its loan's currency and its source has the word on payments."""
    met: dict[tuple[str | None, int, str], int] = {}
    for row in arrivals.rows:
        said = (row.event.fact.currency, row.book.book_key, row.event.source)
        if said not in met:
            counts = rules.counts(row.book.book_key, PAYMENT, row.event.source)
            met[said] = rules.currency_key(row.event.fact.currency) if counts else -1
    given = [met[row.event.fact.currency, row.book.book_key, row.event.source] for row in arrivals.rows]
    is_in: Flags = np.array(given, np.int64) == arrivals.loans["currency_key"][arrivals.place]
    return is_in


def _repeats(arrivals: Arrivals, known: Collection[Identity]) -> Flags:
    """Which events the ledger holds, or the arrival before is the same: they change nothing."""
    repeats = np.zeros(len(arrivals.rows), np.bool_)
    for number in np.flatnonzero(~arrivals.is_later).tolist():
        identity = arrivals.rows[number].identity
        repeats[number] = identity in known or identity == arrivals.rows[number - 1].identity
    return repeats


def _batch(arrivals: Arrivals, is_chosen: Flags) -> PlainBatch:
    chosen = np.flatnonzero(is_chosen)
    places, place = np.unique(arrivals.place[chosen], return_inverse=True)
    rows = [arrivals.rows[number] for number in chosen.tolist()]
    first = np.searchsorted(place, np.arange(len(places))).tolist()
    return PlainBatch(
        loans=arrivals.loans.take(places),
        rows=rows,
        place=place,
        order=[part[chosen] for part in arrivals.order],
        today=np.array([rows[number].book.business_on.toordinal() for number in first], np.int64),
    )


def _turns(place: Ints) -> Ints:
    """The how-manieth of its loan each payment is, from 0."""
    numbers = np.arange(len(place))
    return numbers - np.searchsorted(place, place)


def _loans_of(locked: LockedColumns, rules: Rules) -> PlainLoans:
    plans = plans_of([row["packed"] for row in locked.rows])
    return PlainLoans(
        plans=plans,
        rules=_rules_of(locked["product_key"], rules),
        disbursed=locked["disbursed_minor"],
        disbursed_day=locked["disbursed_on"],
        scheduled=locked["scheduled_minor"],
        term_days=locked["term_days"],
        estimated=locked["estimated"] == 1,
        applied=plans.total - locked["total_outstanding_minor"],
        overpaid=locked["overpaid_minor"],
        paid=locked["paid_minor"],
        last_payment=locked["last_payment_minor"],
        last_payment_day=locked["last_payment_on"],
        closed_day=locked["closed_on"],
        met_day=met_days(plans, locked.days_late(plans.due.shape[1]), locked["met"]),
    )


def _rules_of(product_keys: Ints, rules: Rules) -> Ints:
    keys, place = np.unique(product_keys, return_inverse=True)
    table = np.array([rules.rules(key) for key in keys.tolist()], np.int64)
    return table[place]
