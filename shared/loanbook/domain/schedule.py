"""Installments while a loan is folded: mutable rows made from a schedule, and what is added to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from loanbook.domain.events import Period, PeriodKind

COMPONENTS = 4  # principal, interest, fee, penalty: settings.Component
_DOWN_PAYMENT = PeriodKind.DOWN_PAYMENT
_ADDITIONAL = PeriodKind.ADDITIONAL
_NOTHING = (0, 0, 0, 0)


class Row:
    """One installment of the fold's working memory; lists are by settings.Component."""

    __slots__ = (
        "added_back",
        "chargebacks",
        "charges",
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
        self.chargebacks: tuple[tuple[int, int], ...] = ()  # (day, amount)
        self.log: tuple[tuple[int, int, int], ...] = ()  # (day, open, paid) since the first chargeback

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

    def owe(self, component: int, amount: int) -> None:
        """Add a debt; an installment that was met is open again."""
        if self.met_on is not None and self.due_day < self.met_day:
            self.worst_late = max(self.worst_late, self.met_day - 1 - self.due_day)
        self.met_on = None
        self.due[component] += amount
        self.open += amount

    def owe_again(self, component: int, amount: int) -> None:
        """Add a debt that had been settled before."""
        self.owe(component, amount)
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
        if self.chargebacks:
            self.note(on.toordinal())
        return part

    def note(self, day: int) -> None:
        """Remember how it stood after a change, which only a charged-back row needs."""
        self.log = (*self.log, (day, self.open, sum(self.paid)))

    def shortfall(self) -> tuple[int, int]:
        """Since which day, and how much, the chargebacks exceed what was paid on it; (0, 0) if not."""
        return self._shortfall_of(sum(self.paid), self.chargebacks)

    def worst_shortfall(self, today: int) -> int:
        """The most days past due that its chargebacks made it, up to a day."""
        worst = 0
        ends = [day for day, _, _ in self.log[1:]] + [today + 1]
        for (day, still_open, paid), end in zip(self.log, ends, strict=True):
            made_by_then = tuple(item for item in self.chargebacks if item[0] <= day)
            since, _ = self._shortfall_of(paid, made_by_then)
            if still_open and since and end > day:
                worst = max(worst, end - 1 - since)
        return worst

    @staticmethod
    def _shortfall_of(paid: int, chargebacks: tuple[tuple[int, int], ...]) -> tuple[int, int]:
        since = 0
        for day, amount in chargebacks:
            paid -= amount
            if paid < 0 and not since:
                since = day
        return since, max(0, -paid)

    def arrears_since(self) -> int:
        """The day from which an unmet row is in arrears: its due day, or that of an earlier chargeback."""
        if self.chargebacks:
            since = self.shortfall()[0]
            if since:
                return min(since, self.due_day)
        return self.due_day


def rows_of(periods: Iterable[Period], start_on: date | None) -> list[Row]:
    """Rows in the order of their due days; one on which nothing is due is met from the start."""
    rows = [
        Row(period.number, period.kind, period.from_on, period.due_on, _due_of(period)) for period in periods
    ]
    rows.sort(key=_place)
    for row in rows:
        if row.open == 0:
            met_on = start_on or row.due_on
            row.meet(met_on, met_on.toordinal())
    return rows


def _place(row: Row) -> tuple[int, int]:
    return (row.due_day, row.number)


def row_due_after(rows: list[Row], on: date) -> Row:
    """The row that takes a debt of a day: the first due after it, else the N+1 row, made at need."""
    for row in rows:
        if row.due_on > on and row.kind is not _ADDITIONAL:
            return row
    return additional_row(rows, on)


def row_of_charge(rows: list[Row], due_on: date) -> Row:
    """The row of the period (from, due] a charge's due day lies in; else the N+1 row, made at need."""
    for row in rows:
        if row.due_on >= due_on and row.kind is PeriodKind.REGULAR:
            return row
    return additional_row(rows, due_on)


def additional_row(rows: list[Row], on: date) -> Row:
    """The N+1 row, due on that day or later; the last installment where it is due that very day."""
    last = rows[-1]
    if last.kind is _ADDITIONAL:
        if last.due_on < on:
            if last.open:
                last.worst_late = max(last.worst_late, on.toordinal() - 1 - last.due_day)
            last.due_on, last.due_day = on, on.toordinal()
        return last
    if last.due_on == on:
        return last
    row = Row(max(row.number for row in rows) + 1, _ADDITIONAL, last.due_on, on, [0, 0, 0, 0])
    row.meet(on, row.due_day)  # until something is owed on it
    rows.append(row)
    return row


def lacks_components(periods: Iterable[Period]) -> bool:
    """Whether upstream gave totals only, so that a principal can but be estimated."""
    return any(period.principal_minor is None and period.total_minor for period in periods)


def schedule_issue(rows: list[Row], disbursed: int, *, estimated: bool) -> str | None:
    """Why a schedule cannot be right: its principal is not what was disbursed, or numbers repeat."""
    if len({row.number for row in rows}) < len(rows):
        return "installment_numbers_repeat"
    planned = sum(row.due[0] - row.added_back[0] for row in rows)
    if rows and disbursed and not estimated and planned != disbursed:
        return "principal_is_not_the_disbursed_amount"
    return None


def is_countable(row: Row) -> bool:
    """Whether it is a customer's installment: a regular one on which something is due."""
    due = row.due
    return row.kind is PeriodKind.REGULAR and (due[0] or due[1] or due[2] or due[3]) > 0


def _due_of(period: Period) -> list[int]:
    interest, fee, penalty = period.interest_minor, period.fee_minor, period.penalty_minor
    principal: int | None = period.principal_minor
    if principal is None:
        principal = max(0, (period.total_minor or 0) - interest - fee - penalty)
    return [int(principal), int(interest), int(fee), int(penalty)]
