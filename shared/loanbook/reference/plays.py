"""A loan's facts played one after the other: what each of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from loanbook.domain import events as e
from loanbook.domain.events import LoanEvent
from loanbook.domain.money_facts import Transaction
from loanbook.domain.settings import Component, ProductSettings
from loanbook.reference import charges
from loanbook.reference.book import Book, Counted, Paid, by_component
from loanbook.reference.carrying import carry_over
from loanbook.reference.parts import Part
from loanbook.reference.spreading import pay

_END = date.max


def _created(book: Book, _: LoanEvent, fact: e.LoanCreated) -> None:
    book.term_days = fact.term_days if fact.term_days is not None else book.term_days


def play(events: Iterable[LoanEvent], settings: ProductSettings, as_of: date) -> Book:
    """Play a loan to the end of a day."""
    book = Book(events, settings, as_of)
    for event in sorted(book.facts.count, key=lambda event: _place(book, event)):
        _PLAYS.get(type(event.fact), _nothing)(book, event, event.fact)
        if book.written_off_on is not None:
            book.give_up_all(event.fact.effective_on)
    return book


def _place(book: Book, event: LoanEvent) -> tuple[Any, ...]:
    fact = event.fact
    if isinstance(fact, e.ChargeAdded):
        due_on, _ = charges.as_changed(book, event, fact)
        rank = 0 if book.settings.charges_first else 1
        return (min(due_on, fact.effective_on), rank, *event.order[1:])
    return (fact.effective_on, 1, *event.order[1:])


def _nothing(_: Book, __: LoanEvent, ___: Any) -> None:  # noqa: ANN401
    """Facts that say nothing of the repayment state."""


def _disbursed(book: Book, _: LoanEvent, fact: e.LoanDisbursed) -> None:
    book.disbursed += fact.amount_minor


def _opened(book: Book, _: LoanEvent, fact: e.LoanOpenedFromSnapshot) -> None:
    book.disbursed += fact.disbursed_minor
    paid = book.settle(fact.paid_minor, fact.paid_before, "repayment", fact.effective_on)
    book.paid += fact.paid_minor
    book.overpaid += fact.paid_minor - sum(a for _, _, a in paid)
    for part in book.parts:
        part.met_before_bootstrap = part.met_on is not None


def _scheduled(book: Book, _: LoanEvent, fact: e.SchedulePublished) -> None:
    if fact.kind is e.ScheduleKind.RESTRUCTURED:
        book.restructured_on.add(fact.effective_on)
    if book.settings.carries_payments_over and fact.entity_version > book.version:
        carry_over(book, fact)


def _restructured(book: Book, event: LoanEvent, fact: e.LoanRestructured) -> None:
    if event.event_id in book.facts.undone:
        return
    book.restructured_on.add(fact.effective_on)
    if fact.kind is e.RestructureKind.CLOSED_AS_RESCHEDULED:
        _let_go(book, fact.effective_on)


def _payment(book: Book, event: LoanEvent, fact: e.PaymentPosted) -> None:
    if event.event_id in book.facts.undone:
        by_hand = event.event_id in book.facts.by_hand
        book.returned_payments += by_hand
        if by_hand:
            book.counted.append(Counted(event, is_reversed=True))
    elif book.written_off_on is not None:
        book.recovered += fact.amount_minor
        book.counted.append(Counted(event, is_recovery=True))
    else:
        _count(book, event, fact)
        book.paid += fact.amount_minor
        book.last_payment = (fact.effective_on, fact.amount_minor)


def _credit(book: Book, event: LoanEvent, fact: e.CreditPosted) -> None:
    if event.event_id not in book.facts.undone:
        _count(book, event, fact)
    elif event.event_id in book.facts.by_hand:
        book.counted.append(Counted(event, is_reversed=True))


def _count(book: Book, event: LoanEvent, fact: e.PaymentPosted | e.CreditPosted) -> None:
    amount, paid = int(fact.amount_minor), Paid()
    if fact.charge_id in book.charges:
        part, component, size, _ = book.charges[fact.charge_id]
        amount -= pay(part, component, min(amount, size), fact.effective_on, paid)
    paid += book.settle(amount, fact.portions, fact.kind, fact.effective_on) if amount else []
    overpaid = fact.amount_minor - sum(a for _, _, a in paid)
    book.overpaid += overpaid
    book.counted.append(Counted(event, paid, overpaid))


def _charged_back(book: Book, event: LoanEvent, fact: e.PaymentChargedBack) -> None:
    if _is_undone(book, event):
        return
    ids: set[str | None] = {relation.id for relation in fact.relates_to} or {fact.entity_id}
    found = [c for c in book.counted if {c.event.event_id, c.event.fact.entity_id} & ids]
    if not found:
        book.facts.put_aside(event, "unknown_original")
        return
    original = found[-1]
    if original.is_reversed:
        book.facts.put_aside(event, "original_reversed")
        return
    if original.is_recovery:
        book.recovered -= fact.amount_minor
        book.counted.append(Counted(event, is_recovery=True))
        return
    covered = min(fact.amount_minor, book.overpaid)
    if covered < fact.amount_minor:
        part = _owe_again(book, fact, _portions_back(book, fact, original), covered)
        part.chargebacks.append((fact.effective_on, int(fact.amount_minor)))
    book.overpaid -= covered
    if original.event.fact.cash:
        book.paid -= fact.amount_minor
    book.counted.append(Counted(event))


def _is_undone(book: Book, event: LoanEvent) -> bool:
    if event.event_id in book.facts.by_hand:
        book.counted.append(Counted(event, is_reversed=True))
    return event.event_id in book.facts.undone


def _portions_back(book: Book, fact: e.PaymentChargedBack, original: Counted) -> dict[Component, int]:
    rest, back = int(fact.amount_minor), dict.fromkeys(Component, 0)
    order = book.settings.chargeback_order
    stated = dict(zip(Component, by_component(fact.portions), strict=True)) if fact.portions else None
    for component in Component if stated else order:
        limit = original.portion(component) - original.returned.get(component, 0)
        limit = stated[component] if stated else limit
        part = rest if not stated and order == (Component.PRINCIPAL,) else max(0, min(rest, limit))
        back[component] += part
        original.returned[component] = original.returned.get(component, 0) + part
        rest -= part
    back[Component.PRINCIPAL] += rest
    return back


def _owe_again(book: Book, fact: Transaction, back: dict[Component, int], covered: int) -> Part:
    part = book.row_after(fact.effective_on)
    for component in Component:
        book.owe(part, (fact.effective_on, component, back[component]), fact.effective_on)
        by_overpaid = min(covered, back[component])
        if by_overpaid:
            part.settled.append((fact.effective_on, component, by_overpaid))
            covered -= by_overpaid
    return part


def _refunded(book: Book, event: LoanEvent, fact: e.OverpaymentRefunded) -> None:
    if _is_undone(book, event):
        return
    covered = min(fact.amount_minor, book.overpaid)
    if covered < fact.amount_minor:
        back = dict.fromkeys(Component, 0) | {Component.PRINCIPAL: int(fact.amount_minor)}
        _owe_again(book, fact, back, covered)
    book.overpaid -= covered
    book.refunded += fact.amount_minor
    book.counted.append(Counted(event))


def _recovered(book: Book, event: LoanEvent, fact: e.RecoveryPosted) -> None:
    if event.event_id not in book.facts.undone:
        book.recovered += fact.amount_minor
        book.counted.append(Counted(event, is_recovery=True))
    elif event.event_id in book.facts.by_hand:
        book.counted.append(Counted(event, is_reversed=True))


def _charged_off(book: Book, event: LoanEvent, fact: e.LoanChargedOff) -> None:
    if event.event_id not in book.facts.undone:
        owed = sum(part.owed(_END) for part in book.parts)
        book.charged_off = owed if fact.amount_minor is None else int(fact.amount_minor)
        book.charged_off_on = fact.effective_on


def _written_off(book: Book, event: LoanEvent, fact: e.LoanWrittenOff) -> None:
    if event.event_id not in book.facts.undone:
        for part in book.parts:
            for component in Component:
                book.written_off += book.give_up(part, component, part.owed(_END), fact.effective_on)
        book.written_off_on = fact.effective_on


def _closed(book: Book, event: LoanEvent, fact: e.LoanClosed) -> None:
    if sum(part.owed(_END) for part in book.parts) > book.settings.tolerance_minor:
        book.facts.put_aside(event, "still_owing")
        return
    _let_go(book, fact.effective_on)


def _let_go(book: Book, on: date) -> None:
    for part in book.parts:
        for component in Component:
            book.give_up(part, component, part.owed(_END, component), on)


def _paused(book: Book, _: LoanEvent, fact: e.DelinquencyPaused) -> None:
    start = fact.start_on or fact.effective_on
    if start <= fact.end_on:
        book.pauses.append((start, fact.end_on))


def _resumed(book: Book, _: LoanEvent, fact: e.DelinquencyResumed) -> None:
    on = fact.effective_on
    book.pauses = [(a, on) if a <= on < b else (a, b) for a, b in book.pauses]


_PLAYS: dict[type, Callable[[Book, LoanEvent, Any], None]] = {
    e.LoanCreated: _created,
    e.LoanDisbursed: _disbursed,
    e.LoanOpenedFromSnapshot: _opened,
    e.SchedulePublished: _scheduled,
    e.LoanRestructured: _restructured,
    e.PaymentPosted: _payment,
    e.PaymentAdjusted: _payment,
    e.CreditPosted: _credit,
    e.PaymentChargedBack: _charged_back,
    e.OverpaymentRefunded: _refunded,
    e.RecoveryPosted: _recovered,
    e.ChargeAdded: charges.charge_added,
    e.ChargeUpdated: charges.charge_changed,
    e.ChargeDeleted: charges.charge_changed,
    e.ChargeWaiverUndone: charges.charge_changed,
    e.ChargeWaived: charges.charge_waived,
    e.LoanChargedOff: _charged_off,
    e.LoanWrittenOff: _written_off,
    e.LoanClosed: _closed,
    e.DelinquencyPaused: _paused,
    e.DelinquencyResumed: _resumed,
}
