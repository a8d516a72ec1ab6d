"""How money is spread over installments: upstream's own portions, or our allocation order."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from loanbook.domain.events import Portions
from loanbook.domain.money import divide_half_even
from loanbook.domain.row import Row
from loanbook.domain.schedule import COMPONENTS
from loanbook.domain.settings import AllocationOrder, FutureRule, Processing, Timing

Group = tuple[Timing, tuple[int, ...]]


class Share:
    """Where the money of one transaction went."""

    __slots__ = ("by_timing", "day", "noted_day", "on", "portions", "settled")

    def __init__(self, on: date) -> None:
        self.on = on
        self.day = self.noted_day = on.toordinal()  # noted on a later day where the debt came later
        self.portions = [0] * COMPONENTS
        self.by_timing = [0, 0, 0]  # settings.Timing
        self.settled: list[tuple[int, int]] = []

    def pay(self, row: Row, amount: int, components: tuple[int, ...]) -> int:
        """Pay what the row still owes of these components, in their order; gives what was taken."""
        due, paid, waived, portions = row.due, row.paid, row.waived, self.portions
        rest = amount
        for component in components:
            left = due[component] - paid[component] - waived[component]
            if left > 0:
                part = min(rest, left)
                paid[component] += part
                portions[component] += part
                rest -= part
                if not rest:
                    break
        if rest < amount:
            self._note(row, amount - rest)
        return amount - rest

    def _note(self, row: Row, taken: int) -> None:
        row.open -= taken
        day, due_day = self.day, row.due_day
        if day > due_day:
            row.late += taken
            self.by_timing[0] += taken
        else:
            row.paid_by_due += taken
            if day == due_day:
                self.by_timing[1] += taken
            else:
                row.in_advance += taken
                self.by_timing[2] += taken
        if not row.open:
            row.meet(self.on, day)
        if row.chargebacks or row.debts:
            row.note(self.noted_day)
        self.settled.append((row.number, taken))


class Plan(NamedTuple):
    """An allocation order made ready: components of each timing, timings in the order of their first step."""

    order: AllocationOrder
    groups: tuple[Group, ...]
    usual: tuple[int, ...] | None  # oldest first whatever the timing, with these components
    due_components: tuple[int, ...]  # in the order of what is due


@lru_cache(maxsize=256)
def plan_of(order: AllocationOrder) -> Plan:
    """Make an allocation order ready."""
    due = tuple(int(part) for timing, part in order.steps if timing is Timing.DUE)
    if order.processing is Processing.VERTICAL:
        return Plan(order, tuple((timing, (int(part),)) for timing, part in order.steps), None, due)
    timings = dict.fromkeys(timing for timing, _ in order.steps)
    groups = tuple((at, tuple(int(part) for timing, part in order.steps if timing is at)) for at in timings)
    oldest_first = tuple(timings) == tuple(Timing) and order.future_rule is FutureRule.NEXT
    same_components = len({components for _, components in groups}) == 1
    plain = oldest_first and same_components and not order.charges_due_on_their_own
    return Plan(order, groups, groups[0][1] if plain else None, due)


def allocate(rows: list[Row], amount: int, plan: Plan, share: Share) -> int:
    """Spread an amount over the open rows; gives what is left when nothing is owed."""
    if plan.usual is not None:
        for row in rows:
            if row.open:
                amount -= share.pay(row, amount, plan.usual)
                if not amount:
                    break
        return amount
    order = plan.order
    open_rows = [row for row in rows if row.open]
    for timing, components in plan.groups:
        if timing is Timing.IN_ADVANCE and order.charges_due_on_their_own:
            amount = _pay_due_charges(open_rows, amount, plan, share)
        if not amount:
            break
        amount = _pay_timing(open_rows, amount, timing, components, order.future_rule, share)
    return amount


def _pay_due_charges(rows: list[Row], amount: int, plan: Plan, share: Share) -> int:
    """Charges whose own day has come, on installments that are not due yet."""
    for row in rows:
        for component in plan.due_components if row.charges and row.due_day > share.day else ():
            owed = min(amount, row.left_of_charges(component, share.day))
            amount -= share.pay(row, owed, (component,)) if owed else 0
    return amount


def by_component(portions: Portions) -> list[int]:
    """Upstream's portions as a list by component."""
    return [
        int(portions.principal_minor),
        int(portions.interest_minor),
        int(portions.fee_minor),
        int(portions.penalty_minor),
    ]


def allocate_portions(rows: list[Row], portions: Portions, share: Share) -> int:
    """Book upstream's portions, each on the oldest rows that owe it; gives what found no place."""
    lost = 0
    for component, amount in enumerate(by_component(portions)):
        rest = amount
        for row in rows if rest else ():
            if row.open:
                rest -= share.pay(row, rest, (component,))
                if not rest:
                    break
        lost += rest
    return lost


def _pay_timing(  # noqa: PLR0913, PLR0917 - the six say where from and where to
    rows: list[Row], amount: int, timing: Timing, components: tuple[int, ...], rule: FutureRule, share: Share
) -> int:
    day = share.day
    if timing is Timing.PAST_DUE:
        candidates = [row for row in rows if row.due_day < day]
    elif timing is Timing.DUE:
        candidates = [row for row in rows if row.due_day == day]
    else:
        candidates = [row for row in rows if row.due_day > day]
        if rule is FutureRule.REAMORTIZE:
            return _pay_evenly(candidates, amount, components, share)
        candidates = _in_order_of(rule, candidates, day)
    for row in candidates:
        amount -= share.pay(row, amount, components)
        if not amount:
            break
    return amount


def _in_order_of(rule: FutureRule, candidates: list[Row], day: int) -> list[Row]:
    if rule is FutureRule.LAST:
        return candidates[::-1]
    if rule is FutureRule.NEXT_LAST and candidates:
        running = candidates[0].from_on is not None and candidates[0].from_on.toordinal() <= day
        return candidates[:1] + candidates[:0:-1] if running else candidates[::-1]
    return candidates


def _pay_evenly(rows: list[Row], amount: int, components: tuple[int, ...], share: Share) -> int:
    """Equal parts over all rows, one component after the other; what does not divide falls on the last."""
    while amount:
        owing = [row for row in rows if any(row.left(component) > 0 for component in components)]
        if not owing:
            break
        for component in components:
            part, rest = divide_half_even(amount, len(owing)), amount
            for row in owing:
                offered = rest if row is owing[-1] else min(part, rest)
                rest -= offered
                amount -= share.pay(row, offered, (component,)) if offered else 0
    return amount
