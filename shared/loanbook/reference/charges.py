"""Charges played naively: put on an installment, changed, waived."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from loanbook.domain import events as e
from loanbook.domain.events import LoanEvent
from loanbook.domain.money import Minor
from loanbook.domain.money_facts import ChargeFact
from loanbook.domain.settings import Component
from loanbook.reference.book import Book


def charge_added(book: Book, event: LoanEvent, fact: e.ChargeAdded) -> None:
    """Put a charge on its installment."""
    later = [x for x in book.facts.count if getattr(x.fact, "charge_id", None) == fact.charge_id]
    if any(isinstance(x.fact, e.ChargeDeleted) for x in later):
        return
    due_on, amount = as_changed(book, event, fact)
    size = int(amount) if amount is not None else _percentage(book, fact)
    component = Component.PENALTY if fact.is_penalty else Component.FEE
    since = min(due_on, fact.effective_on)
    regular = [p for p in book.parts if p.kind == "regular" and p.due_on >= due_on]
    part = min(regular, key=lambda p: (p.due_on, p.number)) if regular else book.additional(due_on)
    book.charges[fact.charge_id] = (part, component, size, due_on)
    part.charges.append((due_on, component, size))
    book.owe(part, (since, component, size), due_on)
    book.use_overpaid(since)


def as_changed(book: Book, event: LoanEvent, fact: e.ChargeAdded) -> tuple[date, Minor | None]:
    """Due day and amount of a charge with what came later."""
    due_on, amount = fact.due_on or book.facts.disbursed_on or fact.effective_on, fact.amount_minor
    for other in book.facts.count:
        update = other.fact
        same = isinstance(update, e.ChargeUpdated) and update.charge_id == fact.charge_id
        if isinstance(update, e.ChargeUpdated) and same and other.order > event.order:
            due_on, amount = update.due_on or due_on, _first_given(update.amount_minor, amount)
    return due_on, amount


def _first_given(*amounts: Minor | None) -> Minor | None:
    return next((amount for amount in amounts if amount is not None), None)


def _percentage(book: Book, fact: e.ChargeAdded) -> int:
    planned = {
        c: sum(a for p in book.parts for d, part, a in p.debts if d == date.min and part is c)
        for c in Component
    }
    base = planned[Component.PRINCIPAL] * (fact.basis != e.ChargeBasis.INTEREST)
    base += planned[Component.INTEREST] * (fact.basis != e.ChargeBasis.AMOUNT)
    exact = Decimal(base) * (fact.percent_bps or 0) / 10_000
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


def charge_waived(book: Book, event: LoanEvent, fact: e.ChargeWaived) -> None:
    """Give up what is left of a charge, or a part of it."""
    same = [x for x in book.facts.count if getattr(x.fact, "charge_id", None) == fact.charge_id]
    if fact.charge_id not in book.charges:
        if not any(isinstance(x.fact, e.ChargeDeleted) for x in same):
            book.facts.put_aside(event, "unknown_charge")
        return
    if any(isinstance(x.fact, e.ChargeWaiverUndone) and x.order > event.order for x in same):
        return
    part, component, size, due_on = book.charges[fact.charge_id]
    left = size - book.waived_of.get(fact.charge_id, 0)
    asked = left if fact.amount_minor is None else min(left, int(fact.amount_minor))
    gone = book.give_up(part, component, asked, fact.effective_on)
    part.dues.append((fact.effective_on, due_on, -gone))
    book.waived_of[fact.charge_id] = book.waived_of.get(fact.charge_id, 0) + gone


def charge_changed(book: Book, event: LoanEvent, fact: ChargeFact) -> None:
    """The charge was made with this in mind; here only an unknown one is noticed."""
    added = [x.fact.charge_id for x in book.facts.count if isinstance(x.fact, e.ChargeAdded)]
    if fact.charge_id not in added:
        book.facts.put_aside(event, "unknown_charge")
