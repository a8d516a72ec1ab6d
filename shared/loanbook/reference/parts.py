"""One installment as lists of dated amounts; every figure of it is a sum up to a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from loanbook.domain.settings import Component

Entry = tuple[date, Component, int]


@dataclass(eq=False)
class Part:
    """One installment: everything that ever happened to it, dated."""

    number: int
    kind: str
    from_on: date | None
    due_on: date
    debts: list[Entry] = field(default_factory=list)
    settled: list[Entry] = field(default_factory=list)
    waived: list[Entry] = field(default_factory=list)
    charges: list[Entry] = field(default_factory=list)  # also in debts; here with their own due day
    chargebacks: list[tuple[date, int]] = field(default_factory=list)
    dues: list[tuple[date, date, int]] = field(default_factory=list)  # N+1 row: (known on, due on, amount)
    met_on: date | None = None
    met_before_bootstrap: bool = False

    def owed(self, on: date, component: Component | None = None) -> int:
        """What is left of it at the close of a day."""
        less = total(self.settled, on, component) + total(self.waived, on, component)
        return total(self.debts, on, component) - less

    def late(self, on: date, tolerance: int = 0) -> tuple[date, int] | None:
        """Since which day, and how much of it, is past due at the close of a day."""
        if self.owed(on) <= tolerance:
            return None
        if self.kind == "additional":
            found = self._not_covered([(due, a) for known, due, a in self.dues if known <= on], on)
        else:
            back = self._not_covered([(day, a) for day, a in self.chargebacks if day <= on], on)
            since = [day for day in (self.due_on, back[0] if back else None) if day is not None and day < on]
            amount = self.owed(on) if self.due_on < on else (back[1] if back else 0)
            found = (min(since), amount) if since else None
        return found if found is not None and found[1] > tolerance else None

    def _not_covered(self, dated: list[tuple[date, int]], on: date) -> tuple[date, int] | None:
        """The first dated amount before a day that the money on this row does not reach; all of the gap."""
        gap = -total(self.settled, on)
        first = None
        for day, amount in sorted(dated):
            if day < on:
                gap += amount
                first = day if first is None and gap > 0 else first
        return (first, gap) if first is not None and gap > 0 else None

    @property
    def is_installment(self) -> bool:
        """A regular row on which something is due."""
        return self.kind == "regular" and sum(amount for _, _, amount in self.debts) > 0


def total(entries: list[Entry], on: date, component: Component | None = None) -> int:
    """Sum of the entries dated up to a day."""
    return sum(amount for day, part, amount in entries if day <= on and component in (None, part))
