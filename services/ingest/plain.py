"""The short cut of a batch: payments in order on plain loans, folded as columns, without histories.

What is strictly later than everything a loan had cannot be a repetition of it, and what is no
repetition, reversal or correction only adds to the sum paid: `loanbook.domain.plain` does the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from ingest.records import LedgerRow, LoanRef
from loanbook.domain.events import PaymentPosted
from loanbook.domain.loan import FOLD_VERSION
from loanbook.domain.plain import Ints, PlainLoans, Received, met_days, pay, plans_of
from loanbook.domain.plain_figures import PlainFigures, plain_figures
from loanbook.postgres.ledger import TYPE_KEYS

Locked = Mapping[str, Any]  # a row of lock_loans.sql
_PAYMENT = TYPE_KEYS[PaymentPosted.TYPE]
_ARRAY_HEAD = 20  # bytes before the elements of an array as the server sends it
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i2")])


class Rules(Protocol):
    """What the short cut asks of the directory."""

    def counts(self, book_key: int, type_key: int, source: str) -> bool:
        """Whether this source has the word on this event type."""

    def currency_key(self, code: str | None) -> int:
        """Key of a currency."""

    def rules(self, product_key: int) -> tuple[int, ...]:
        """A product's settings as `plain_figures.rules_of` gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBatch:
    """Loans that take the short cut, in key order: their locked rows, the new payments of each in order."""

    locked: list[Locked]
    payments: list[Sequence[LedgerRow]]
    today: Ints  # ordinal of each loan's business day

    @property
    def rows(self) -> list[LedgerRow]:
        """All payments, loan by loan."""
        return [row for rows in self.payments for row in rows]


NOTHING_PLAIN = PlainBatch(locked=[], payments=[], today=np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainChanges:
    """Plain loans after their payments, with what these bring to the cash figures."""

    batch: PlainBatch
    loans: PlainLoans
    figures: PlainFigures
    received: list[tuple[Ints, Ints, Received]]  # places of the loans, the day and what came of it


def choose(
    rows: Iterable[LedgerRow], locked: Mapping[LoanRef, Locked], rules: Rules
) -> tuple[PlainBatch, list[LedgerRow]]:
    """Part the events of loans that may take the short cut from all others."""
    by_loan: dict[LoanRef, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        by_loan[row.ref].append(row)
    chosen, others = [], []
    for ref, news in by_loan.items():
        if _follow(news, locked[ref], rules):
            chosen.append(ref)
        else:
            others += news
    chosen.sort()
    batch = PlainBatch(
        locked=[locked[ref] for ref in chosen],
        payments=[by_loan[ref] for ref in chosen],
        today=np.array([by_loan[ref][0].book.business_on.toordinal() for ref in chosen], np.int64),
    )
    return batch, others


def fold_plain(batch: PlainBatch, rules: Rules) -> PlainChanges:
    """Add the payments to their loans, and read the loans off at their book's day."""
    loans = _loans_of(batch.locked, rules)
    received = []
    for turn in range(max(map(len, batch.payments), default=0)):
        places = [place for place, rows in enumerate(batch.payments) if len(rows) > turn]
        facts: list[Any] = [batch.payments[place][turn].event.fact for place in places]
        which = np.array(places, np.int64)
        day = np.array([fact.effective_on.toordinal() for fact in facts], np.int64)
        amount = np.array([fact.amount_minor for fact in facts], np.int64)
        received.append((which, day, pay(loans, which, day, amount)))
    figures = plain_figures(loans, batch.today)
    return PlainChanges(batch=batch, loans=loans, figures=figures, received=received)


def _follow(news: list[LedgerRow], locked: Locked, rules: Rules) -> bool:
    """Whether these events are payments in order, each later than all that the loan had."""
    if not locked["is_plain"] or locked["fold_version"] != FOLD_VERSION:
        return False
    if len(news) > 1:
        news.sort(key=_order)
    last = (
        locked["last_effective_on"], locked["last_business_on"],
        locked["last_sequence"], locked["last_recorded_at"],
    )  # fmt: skip
    for row in news:
        order = _order(row)
        if order <= last or not _is_plain_payment(row, locked, rules):
            return False
        last = order
    return True


def _order(row: LedgerRow) -> tuple[Any, Any, int, datetime]:
    """The head of LoanEvent.order; events alike in it are not told apart, and go the general way."""
    event, fact = row.event, row.event.fact
    return (fact.effective_on, fact.business_on, event.sequence or 0, event.recorded_at)


def _is_plain_payment(row: LedgerRow, locked: Locked, rules: Rules) -> bool:
    event, fact = row.event, row.event.fact
    if type(fact) is not PaymentPosted or fact.portions is not None or fact.charge_id or fact.relates_to:
        return False
    if fact.entity_version != 1 or fact.effective_on > row.book.business_on or fact.amount_minor <= 0:
        return False
    named = locked["named_ids"]
    if named and (event.event_id in named or fact.entity_id in named):
        return False
    currency = rules.currency_key(fact.currency)
    return currency == locked["currency_key"] and rules.counts(row.book.book_key, _PAYMENT, event.source)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    """Rows of a query as columns."""
    return dict(zip(rows[0].keys(), zip(*[row.values() for row in rows], strict=True), strict=True))


def _loans_of(locked: Sequence[Locked], rules: Rules) -> PlainLoans:
    column = columns_of(locked)

    def ints(name: str) -> Ints:
        return np.array(column[name], np.int64)

    plans = plans_of(column["packed"])
    late = np.frombuffer(b"".join([sent[_ARRAY_HEAD:] for sent in column["days_late"]]), _ELEMENT)["value"]
    return PlainLoans(
        plans=plans,
        rules=np.array([rules.rules(key) for key in column["product_key"]], np.int64),
        disbursed=ints("disbursed_minor"),
        disbursed_day=ints("disbursed_day"),
        scheduled=ints("scheduled_minor"),
        term_days=ints("term_days"),
        estimated=np.array(column["estimated"], np.bool_),
        applied=plans.total - ints("total_outstanding_minor"),
        overpaid=ints("overpaid_minor"),
        paid=ints("paid_minor"),
        last_payment=ints("last_payment_minor"),
        last_payment_day=ints("last_payment_day"),
        closed_day=ints("closed_day"),
        met_day=met_days(plans, late, ints("met")),
    )
