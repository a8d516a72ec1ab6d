"""A loan while it is played naively: installments as dated amounts, and what is on no installment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from loanbook.domain import events as e
from loanbook.domain.events import LoanEvent
from loanbook.domain.money import Minor
from loanbook.domain.settings import Component, ProductSettings
from loanbook.reference.facts import Facts
from loanbook.reference.parts import Entry, Part
from loanbook.reference.spreading import pay, spread

_END = date.max
Paid = list[tuple[Part, Component, int]]


@dataclass(eq=False)
class Counted:
    """A transaction that counted, and where its money went."""

    event: LoanEvent
    paid: Paid = field(default_factory=list)
    overpaid: int = 0
    is_reversed: bool = False
    is_recovery: bool = False
    returned: dict[Component, int] = field(default_factory=dict)

    def portion(self, component: Component) -> int:
        """What it settled of one component."""
        return sum(amount for _, part, amount in self.paid if part is component)


class Book:
    """One loan played to the end of a day."""

    def __init__(self, events: Iterable[LoanEvent], settings: ProductSettings, as_of: date) -> None:
        self.facts = Facts(events, as_of)
        self.settings, self.as_of = settings, as_of
        self.disbursed = self.paid = self.overpaid = self.refunded = self.recovered = 0
        self.returned_payments = self.written_off = self.charged_off = 0
        self.term_days: int | None = None
        self.charged_off_on: date | None = None
        self.written_off_on: date | None = None
        self.last_payment: tuple[date, int] | None = None
        self.counted: list[Counted] = []
        self.charges: dict[str, tuple[Part, Component, int, date]] = {}
        self.waived_of: dict[str, int] = {}
        self.pauses: list[tuple[date, date]] = []
        self.restructured_on: set[date] = set()
        self.version = 0
        self.plan(self._first_periods())

    def plan(self, periods: tuple[e.Period, ...]) -> None:
        """Start from these periods; nothing is paid on them yet."""
        self.parts = [self._part(period) for period in periods]
        self.totals_only = any(p.principal_minor is None and p.total_minor for p in periods)

    def _first_periods(self) -> tuple[e.Period, ...]:
        """The newest schedule; the oldest where payments are carried from one to the next."""
        versions = [x.fact for x in self.facts.schedules if isinstance(x.fact, e.SchedulePublished)]
        best: e.SchedulePublished | None = None
        for fact in versions:
            carries = self.settings.carries_payments_over
            if best is None or (
                fact.entity_version < best.entity_version
                if carries
                else fact.entity_version >= best.entity_version
            ):
                best = fact
        if best is not None:
            self.version = best.entity_version
            return best.periods
        start = self.facts.bootstrap
        has_begun = start is not None and self.facts.disbursed_on is not None
        return start.fact.periods if has_begun and start is not None else ()  # type: ignore[attr-defined]

    def _part(self, period: e.Period) -> Part:
        part = Part(period.number, period.kind, period.from_on, period.due_on)
        interest, fee, penalty = period.interest_minor, period.fee_minor, period.penalty_minor
        principal = period.principal_minor
        if principal is None:
            principal = Minor(max(0, (period.total_minor or 0) - interest - fee - penalty))
        for component, amount in zip(Component, (principal, interest, fee, penalty), strict=True):
            part.debts.append((date.min, component, int(amount)))
            part.dues.append((date.min, period.due_on, int(amount)))
        if part.owed(_END) == 0:
            part.met_on = self.facts.disbursed_on or period.due_on
        return part

    def settle(self, amount: int, portions: e.Portions | None, kind: str, on: date) -> Paid:
        """Spread money: as upstream says where it fits, the rest by the product's order."""
        paid: Paid = []
        stated = by_component(portions)
        if sum(stated) <= amount:
            for component, rest in zip(Component, stated, strict=True):
                left = rest
                for part in sorted(self.parts, key=lambda part: (part.due_on, part.number)):
                    left -= pay(part, component, left, on, paid)
        gone = sum(a for _, _, a in paid)
        paid += spread(self.parts, amount - gone, on, self.settings.allocation_for(kind))
        return paid

    def use_overpaid(self, since: date) -> None:
        """What was overpaid pays a new debt: on the day it came, though the debt is known since later."""
        for counted in [one for one in self.counted if one.overpaid]:
            fact: Any = counted.event.fact
            offered = min(counted.overpaid, self.overpaid)
            paid = self._pay_later(offered, fact.kind, fact.effective_on, since)
            counted.paid = counted.paid + paid
            counted.overpaid -= sum(amount for _, _, amount in paid)
        self._pay_later(self.overpaid, "repayment", since, since)

    def _pay_later(self, offered: int, kind: str, on: date, since: date) -> Paid:
        paid = self.settle(offered, None, kind, on)
        for part, component, amount in paid:
            part.settled.remove((on, component, amount))
            part.settled.append((since, component, amount))
            self.overpaid -= amount
        return paid

    def row_after(self, on: date) -> Part:
        """Where a debt of a day goes: the first due after it, else the N+1 row."""
        for part in sorted(self.parts, key=lambda part: (part.due_on, part.number)):
            if part.due_on > on and part.kind != "additional":
                return part
        return self.additional(on)

    def additional(self, on: date) -> Part:
        """The N+1 row of later debts."""
        last = max(self.parts, key=lambda part: (part.due_on, part.number))
        if last.kind == "additional":
            last.due_on = max(last.due_on, on)
            return last
        if last.due_on == on:
            return last
        number = max(part.number for part in self.parts) + 1
        self.parts.append(Part(number, "additional", last.due_on, on, met_on=on))
        return self.parts[-1]

    def owe(self, part: Part, entry: Entry, due_on: date) -> None:
        """Add a debt; on the N+1 row it is due on its own day."""
        if entry[2]:
            part.debts.append(entry)
            part.dues.append((entry[0], due_on, entry[2]))
            part.met_on = None

    def give_up(self, part: Part, component: Component, amount: int, on: date) -> int:
        """Waive; gives what was waived."""
        gone = max(0, min(amount, part.owed(_END, component)))
        if gone:
            part.waived.append((on, component, gone))
            part.met_on = on if part.owed(_END) == 0 else None
        return gone

    def give_up_all(self, on: date) -> None:
        """Waive whatever is owed."""
        for part in self.parts:
            for component in Component:
                self.written_off += self.give_up(part, component, part.owed(_END, component), on)


def by_component(portions: e.Portions | None) -> list[int]:
    """Upstream's portions in the order of the components."""
    if portions is None:
        return [0, 0, 0, 0]
    stated = (portions.principal_minor, portions.interest_minor, portions.fee_minor, portions.penalty_minor)
    return [int(amount) for amount in stated]
