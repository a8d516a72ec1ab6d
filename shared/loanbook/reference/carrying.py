"""A new schedule where payments stay where they are: same due day and kind is the same installment."""

from __future__ import annotations

from datetime import date

from loanbook.domain import events as e
from loanbook.domain.settings import Component
from loanbook.reference.book import Book
from loanbook.reference.parts import Entry, Part

_END = date.max


def carry_over(book: Book, fact: e.SchedulePublished) -> None:
    """Put the new schedule in the place of the old; money that has no place on it is spread anew."""
    on, old = fact.effective_on, _by_due(book.parts)
    book.plan(fact.periods)
    book.version = fact.entity_version
    free = _by_due(book.parts)
    loose = 0
    for part in old:
        new = next((p for p in free if (p.due_on, p.kind) == (part.due_on, part.kind)), None)
        if new is not None:
            free.remove(new)
            _take_additions(new, part, on)
        elif part.charges or _additions(part):
            new = Part(part.number, "additional", part.from_on, part.due_on)
            book.parts.append(new)
            _take_additions(new, part, on)
        loose += _take_money(new, part, on)
        for charge_id, (place, component, size, due_on) in book.charges.items():
            if place is part and new is not None:
                book.charges[charge_id] = (new, component, size, due_on)
    book.overpaid += loose - _pay(book, loose, on)  # what was moved goes before what had been too much
    book.overpaid -= _pay(book, book.overpaid, on)


def _pay(book: Book, money: int, on: date) -> int:
    return sum(amount for _, _, amount in book.settle(money, None, "repayment", on)) if money else 0


def _by_due(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (part.due_on, part.number))


def _additions(part: Part) -> list[Entry]:
    return [entry for entry in part.debts if entry[0] != date.min]


def _take_additions(new: Part, old: Part, on: date) -> None:
    """Charges and chargebacks are in no published schedule; they stay where they were.

    Without their installment they are debts of their own from this day, charges due on their own days.
    """
    new.charges, new.chargebacks = old.charges, old.chargebacks
    dues = [due for due in old.dues if due[0] != date.min]
    if new.kind == old.kind:
        new.debts += _additions(old)
        new.dues += dues
        return
    own = [(day, amount) for day, _, amount in old.charges]
    new.debts += [(on, component, amount) for _, component, amount in _additions(old)]
    for _, due_on, amount in dues:
        has_own_day = amount < 0 or (due_on, amount) in own
        new.dues.append((on, due_on if has_own_day else old.due_on, amount))


def _take_money(new: Part | None, old: Part, on: date) -> int:
    """Keep what was paid and waived as far as it is owed; gives what was paid beyond that."""
    loose = 0
    for component in Component:
        due = 0 if new is None else sum(a for _, part, a in new.debts if part is component)
        kept = _first(old.settled, component, due)
        loose += sum(a for _, part, a in old.settled if part is component) - sum(a for _, _, a in kept)
        if new is not None:
            new.settled += kept
            new.waived += _first(old.waived, component, due - sum(a for _, _, a in kept))
    if new is not None and any(amount for _, _, amount in new.debts):
        new.met_before_bootstrap = old.met_before_bootstrap
        _meet(new, old, on)
    return loose


def _meet(new: Part, old: Part, on: date) -> None:
    """Say since when nothing is owed; what was open until now is settled only from this day on."""
    new.met_on = (old.met_on or on) if new.owed(_END) == 0 else None
    entries = new.settled or new.waived
    if new.met_on is not None and old.met_on is None and entries:
        _, component, amount = entries.pop()
        entries.append((on, component, amount))


def _first(entries: list[Entry], component: Component, limit: int) -> list[Entry]:
    """The earliest entries of a component up to an amount."""
    kept: list[Entry] = []
    for day, part, amount in sorted(entries, key=lambda entry: entry[0]):
        if part is component and limit > 0:
            kept.append((day, part, min(amount, limit)))
            limit -= amount
    return kept
