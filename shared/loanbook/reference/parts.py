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
    due_days: list[tuple[date, date]] = field(default_factory=list)  # an N+1 row: (since, due day)
    met_on: date | None = None
    met_before_bootstrap: bool = False

    def owed(self, on: date, component: Component | None = None) -> int:
        """What is left of it at the close of a day."""
        less = total(self.settled, on, component) + total(self.waived, on, component)
        return total(self.debts, on, component) - less

    def due_day(self, on: date) -> date:
        """Its due day as it was on a day."""
        return next((due for since, due in reversed(self.due_days) if since <= on), self.due_on)

    def late_since(self, on: date, tolerance: int = 0) -> date | None:
        """The day since which it is past due at the close of a day."""
        if self.owed(on) <= tolerance:
            return None
        late = [
            day for day in (self.due_day(on), self._charged_back_since(on)) if day is not None and day < on
        ]
        return min(late) if late else None

    def late_amount(self, on: date, tolerance: int = 0) -> int:
        """What is past due of it at the close of a day."""
        if self.late_since(on, tolerance) is None:
            return 0
        back = sum(amount for day, amount in self.chargebacks if day <= on)
        short = max(0, back - total(self.settled, on)) if self.chargebacks else 0
        return self.owed(on) if self.due_day(on) < on else short

    def _charged_back_since(self, on: date) -> date | None:
        left = total(self.settled, on)
        for day, amount in self.chargebacks:
            left -= amount if day <= on else 0
            if left < 0 and day <= on:
                return day
        return None

    @property
    def is_installment(self) -> bool:
        """A regular row on which something is due."""
        return self.kind == "regular" and sum(amount for _, _, amount in self.debts) > 0


def total(entries: list[Entry], on: date, component: Component | None = None) -> int:
    """Sum of the entries dated up to a day."""
    return sum(amount for day, part, amount in entries if day <= on and component in (None, part))
