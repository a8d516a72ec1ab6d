"""One installment while a loan is folded: a mutable row, cheap to make and to pay on."""

from __future__ import annotations

from datetime import date

from loanbook.domain.events import PeriodKind

Dated = tuple[tuple[int, int], ...]  # (day, amount)
_NOTHING = (0, 0, 0, 0)
_ADDITIONAL = PeriodKind.ADDITIONAL  # looked up once: an enum's member costs a call each time


class Row:
    """One installment of the fold's working memory; lists are by settings.Component."""

    __slots__ = (
        "added_back",
        "chargebacks",
        "charges",
        "debts",
        "due",
        "due_day",
        "due_on",
        "from_on",
        "in_advance",
        "kind",
        "late",
        "log",
        "met_before_bootstrap",
        "met_day",
        "met_on",
        "number",
        "open",
        "paid",
        "paid_by_due",
        "waived",
        "worst_late",
    )

    def __init__(
        self, number: int, kind: PeriodKind, from_on: date | None, due_on: date, due: list[int]
    ) -> None:
        self.number = number
        self.kind = kind
        self.from_on = from_on
        self.due_on = due_on
        self.due_day = due_on.toordinal()
        self.due = due
        self.paid = [0, 0, 0, 0]
        self.waived = [0, 0, 0, 0]
        self.open = due[0] + due[1] + due[2] + due[3]
        self.in_advance = 0
        self.late = 0
        self.paid_by_due = 0
        self.met_on: date | None = None
        self.met_day = 0
        self.met_before_bootstrap = False
        self.worst_late = 0  # most days past due in an earlier spell
        self.added_back = _NOTHING  # part of due: what chargebacks and refunds made a debt again
        self.charges: tuple[tuple[int, int, int], ...] = ()  # (due day, component, amount)
        self.chargebacks: Dated = ()  # (day, amount)
        # An additional row owes each of its debts from that debt's own day: (day, amount).
        self.debts: Dated = ((self.due_day, self.open),) if kind is _ADDITIONAL and self.open else ()
        self.log: tuple[tuple[int, int, int, Dated], ...] = ()  # (day, open, paid, what is dated by then)

    def left(self, component: int) -> int:
        """What is open of one component."""
        return self.due[component] - self.paid[component] - self.waived[component]

    def left_of_charges(self, component: int, day: int) -> int:
        """What is open of one component's charges that are due by a day on their own."""
        due = sum(amount for at, part, amount in self.charges if part == component and at <= day)
        return max(0, min(self.left(component), due - self.paid[component] - self.waived[component]))

    def meet(self, on: date, day: int) -> None:
        """Note that nothing is left of it since `on`."""
        self.met_on = on
        self.met_day = day

    def owe(self, component: int, amount: int, due_day: int) -> None:
        """Add a debt, due on its own day; an installment that was met is open again."""
        if self.met_on is not None and self.due_day < self.met_day:
            self.worst_late = max(self.worst_late, self.met_day - 1 - self.due_day)
        self.met_on = None
        self.due[component] += amount
        self.open += amount
        if self.kind is _ADDITIONAL:
            self.debts = tuple(sorted((*self.debts, (due_day, amount))))

    def owe_again(self, component: int, amount: int, due_day: int) -> None:
        """Add a debt that had been settled before."""
        self.owe(component, amount, due_day)
        back = list(self.added_back)
        back[component] += amount
        self.added_back = (back[0], back[1], back[2], back[3])

    def waive(self, component: int, amount: int, on: date) -> int:
        """Give up a part of what is open; gives what was given up."""
        part = min(self.left(component), amount)
        self.waived[component] += part
        self.open -= part
        if part and not self.open:
            self.meet(on, on.toordinal())
        self.note(on.toordinal())
        return part

    def forgive(self, due_day: int, amount: int) -> None:
        """Take a waived charge off the debts of an additional row."""
        if self.debts:
            self.debts = tuple(sorted((*self.debts, (due_day, -amount))))

    def note(self, day: int) -> None:
        """Remember how it stood after a change, where lateness does not follow from its due day alone."""
        dated = self.debts or self.chargebacks
        if dated:
            self.log = (*self.log, (day, self.open, sum(self.paid), dated))

    def arrears(self, today: int) -> tuple[int, int]:
        """Since which day and with how much it is past due at the close of a day; (0, 0) if it is not."""
        if not self.open:
            return 0, 0
        if self.debts:
            return _uncovered(sum(self.paid), self.debts, today)
        since, short = _uncovered(sum(self.paid), self.chargebacks, today) if self.chargebacks else (0, 0)
        if self.due_day < today:
            return (min(since, self.due_day) if since else self.due_day), self.open
        return since, short

    def worst_arrears(self, today: int) -> int:
        """The most days past due that its dated debts made it at a close, up to a day."""
        worst = 0
        ends = [entry[0] for entry in self.log[1:]] + [today + 1] * bool(self.log)
        for (day, still_open, paid, dated), end in zip(self.log, ends, strict=True):
            since, _ = _uncovered(paid, dated, end - 1)
            if still_open and since and end > day:
                worst = max(worst, end - 1 - since)
        return worst


def _uncovered(paid: int, dated: Dated, today: int) -> tuple[int, int]:
    """Since which of the debts dated before a day what was paid does not cover them, and by how much."""
    since = 0
    for day, amount in dated:
        if day >= today:
            break
        paid -= amount
        if paid < 0 and not since:
            since = day
    return (since, -paid) if paid < 0 else (0, 0)
