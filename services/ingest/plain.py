"""The short cut of a batch: payments in order on plain loans, folded as columns, without histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeAlias

import numpy as np

from ingest.locked import Ints, LockedColumns
from loanbook.domain.events import PaymentPosted
from loanbook.domain.loan import FOLD_VERSION
from loanbook.domain.plain import Flags, PlainLoans, Received, met_days, pay, plans_of
from loanbook.domain.plain_figures import PlainFigures, plain_figures
from loanbook.postgres.ledger import TYPE_KEYS

Order: TypeAlias = tuple[date, date, int, datetime]  # the head of LoanEvent.order
PAYMENT = TYPE_KEYS[PaymentPosted.TYPE]
LAST_ORDER = ("last_effective_on", "last_business_on", "last_sequence", "last_recorded_at")


class Rules(Protocol):
    """What the short cut asks of the directory."""

    def counts(self, book_key: int, type_key: int, source: str) -> bool:
        """Whether a source has the word on an event type."""

    def counts_key(self, book_key: int, type_key: int, source_key: int) -> bool:
        """The same, of the source's key."""

    def currency_key(self, code: str | None) -> int:
        """Key of a currency."""

    def rules(self, product_key: int) -> tuple[int, ...]:
        """A product's settings as `plain_figures.rules_of` gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBatch:
    """Loans that take the short cut, in key order, and their new payments, loan by loan in order."""

    loans: LockedColumns
    amounts: Ints  # what was paid, in minor units
    place: Ints  # of each payment's loan
    order: Sequence[Ints]  # of each payment, as `ordinals` gives it
    today: Ints  # ordinal of each loan's business day


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainChanges:
    """Plain loans as they are now beside what was stored, and what brought them there."""

    before: LockedColumns
    today: Ints  # ordinal of each loan's business day
    loans: PlainLoans
    figures: PlainFigures
    received: Sequence[tuple[Ints, Ints, Received]]  # places of the loans, the day and what came of it
    last_order: Sequence[Ints]  # of each loan's latest event, likewise
    changed_from: Ints  # the first closed day that is another now, 0 for none
    paid: tuple[Ints, Ints]  # place of the loan and amount of each new payment
    named: Mapping[int, tuple[Sequence[str], int]]  # by place: ids undone now, payments returned
    officers: Mapping[int, str]  # by place: who has the loan now, where that is another


def fold_plain(batch: PlainBatch, rules: Rules) -> PlainChanges:
    """Add the payments to their loans, and read the loans off at their book's day."""
    loans = loans_of(batch.loans, rules)
    turns = _turns(batch.place)
    received = []
    for turn in range(int(turns.max(initial=-1)) + 1):
        now = turns == turn
        which, day = batch.place[now], batch.order[0][now]
        received.append((which, day, pay(loans, which, day, batch.amounts[now])))
    return PlainChanges(
        before=batch.loans,
        today=batch.today,
        loans=loans,
        figures=plain_figures(loans, batch.today),
        received=received,
        last_order=_last_orders(batch),
        changed_from=_changed_from(batch),
        paid=(batch.place, batch.amounts),
        named={},
        officers={},
    )


def _last_orders(batch: PlainBatch) -> list[Ints]:
    columns = [batch.loans[name].copy() for name in LAST_ORDER]
    for column, part in zip(columns, batch.order, strict=True):
        column[batch.place] = part  # of several for one loan the last counts
    return columns


def _changed_from(batch: PlainBatch) -> Ints:
    changed_from = np.zeros(len(batch.loans), np.int64)
    is_late = (np.diff(batch.place, prepend=-1) > 0) & (batch.order[0] < batch.today[batch.place])
    changed_from[batch.place[is_late]] = batch.order[0][is_late]
    return changed_from


def are_plain(loans: LockedColumns) -> Flags:
    """Which loans may take the short cut."""
    flags: Flags = (loans["is_plain"] == 1) & (loans["fold_version"] == FOLD_VERSION)
    return flags


def _turns(place: Ints) -> Ints:
    """The how-manieth of its loan each payment is, from 0."""
    numbers = np.arange(len(place))
    return numbers - np.searchsorted(place, place)


def loans_of(locked: LockedColumns, rules: Rules) -> PlainLoans:
    """Locked plain loans as the domain reads them."""
    plans = plans_of([terms.packed for terms in locked.terms])
    return PlainLoans(
        plans=plans,
        rules=_rules_of(locked["product_key"], rules),
        disbursed=locked["disbursed_minor"],
        disbursed_day=locked["disbursed_on"],
        scheduled=locked["scheduled_minor"],
        term_days=locked.term_days,
        estimated=locked["estimated"] == 1,
        applied=plans.total - locked["total_outstanding_minor"],
        overpaid=locked["overpaid_minor"].copy(),
        paid=locked["paid_minor"].copy(),
        last_payment=locked["last_payment_minor"].copy(),
        last_payment_day=locked["last_payment_on"].copy(),
        closed_day=locked["closed_on"].copy(),
        met_day=met_days(plans, locked.days_late(plans.due.shape[1]), locked["met"]),
    )


def _rules_of(product_keys: Ints, rules: Rules) -> Ints:
    keys, place = np.unique(product_keys, return_inverse=True)
    table = np.array([rules.rules(key) for key in keys.tolist()], np.int64)
    return table[place]
