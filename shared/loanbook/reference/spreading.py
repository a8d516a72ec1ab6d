"""How money is spread over installments: pay the next thing that the order names, until it is gone."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from loanbook.domain.settings import AllocationOrder, Component, FutureRule, Processing, Timing
from loanbook.reference.parts import Part

_END = date.max


def spread(
    parts: list[Part], amount: int, on: date, order: AllocationOrder
) -> list[tuple[Part, Component, int]]:
    """What is paid of which installment; less than the amount when nothing is left to pay."""
    paid: list[tuple[Part, Component, int]] = []
    for timing, components in _stages(order):
        if timing is Timing.IN_ADVANCE and order.charges_due_on_their_own:
            amount -= _pay_charges_whose_day_has_come(parts, amount, on, order, paid)
        if timing is Timing.IN_ADVANCE and order.future_rule is FutureRule.REAMORTIZE:
            amount -= _pay_in_equal_parts(_rows(parts, on, timing, order), amount, on, components, paid)
            continue
        for part in _rows(parts, on, timing, order):
            for component in components:
                amount -= pay(part, component, amount, on, paid)
    return paid


def pay(
    part: Part, component: Component, offered: int, on: date, paid: list[tuple[Part, Component, int]]
) -> int:
    """Pay what one component still owes; gives what was taken."""
    taken = max(0, min(offered, part.owed(_END, component)))
    if taken:
        part.settled.append((on, component, taken))
        paid.append((part, component, taken))
        if part.owed(_END) == 0:
            part.met_on = on
    return taken


def _stages(order: AllocationOrder) -> list[tuple[Timing, list[Component]]]:
    """Which components are paid for which timing, one stage after the other."""
    if order.processing is Processing.VERTICAL:
        return [(timing, [component]) for timing, component in order.steps]
    timings = list(dict.fromkeys(timing for timing, _ in order.steps))
    return [(timing, [c for t, c in order.steps if t is timing]) for timing in timings]


def _rows(parts: list[Part], on: date, timing: Timing, order: AllocationOrder) -> list[Part]:
    """The open installments of a timing, in the order in which money goes to them."""
    by_due = sorted(parts, key=lambda part: (part.due_on, part.number))
    rows = [part for part in by_due if part.owed(_END) > 0 and _timing_of(part, on) is timing]
    if timing is not Timing.IN_ADVANCE or not rows:
        return rows
    if order.future_rule is FutureRule.LAST:
        return rows[::-1]
    if order.future_rule is FutureRule.NEXT_LAST:
        runs = rows[0].from_on is not None and rows[0].from_on <= on
        return [rows[0], *rows[:0:-1]] if runs else rows[::-1]
    return rows


def _timing_of(part: Part, on: date) -> Timing:
    if part.due_on < on:
        return Timing.PAST_DUE
    return Timing.DUE if part.due_on == on else Timing.IN_ADVANCE


def _pay_in_equal_parts(
    rows: list[Part],
    amount: int,
    on: date,
    components: list[Component],
    paid: list[tuple[Part, Component, int]],
) -> int:
    left = amount
    while left:
        owing = [row for row in rows if any(row.owed(_END, c) > 0 for c in components)]
        if not owing:
            break
        for component in components:
            offered = _equal_parts(left, len(owing))
            left -= sum(pay(row, component, part, on, paid) for row, part in zip(owing, offered, strict=True))
    return amount - left


def _equal_parts(amount: int, count: int) -> list[int]:
    """An amount in equal parts, rounded half to even; the last takes what is left."""
    part = int((Decimal(amount) / count).quantize(Decimal(1), ROUND_HALF_EVEN))
    parts: list[int] = []
    while len(parts) < count - 1:
        parts.append(min(part, amount - sum(parts)))
    return [*parts, amount - sum(parts)]


def _pay_charges_whose_day_has_come(
    parts: list[Part],
    amount: int,
    on: date,
    order: AllocationOrder,
    paid: list[tuple[Part, Component, int]],
) -> int:
    components = [component for timing, component in order.steps if timing is Timing.DUE]
    left = amount
    for part in _rows(parts, on, Timing.IN_ADVANCE, AllocationOrder()):
        for component in components:
            due = sum(a for day, c, a in part.charges if c is component and day <= on)
            gone = sum(a for _, c, a in (*part.settled, *part.waived) if c is component)
            left -= pay(part, component, min(left, max(0, due - gone)), on, paid)
    return amount - left
