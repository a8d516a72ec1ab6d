"""Installments while a loan is folded: mutable rows made from the schedule in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from loanbook.domain.events import Period, PeriodKind

COMPONENTS = 4  # principal, interest, fee, penalty: settings.Component


class Row:
    """One installment of the fold's working memory; lists are by settings.Component."""

    __slots__ = (
        "due",
        "due_day",
        "due_on",
        "from_on",
        "in_advance",
        "kind",
        "late",
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

    def __init__(self, number: int, kind: str, from_on: date | None, due_on: date, due: list[int]) -> None:
        self.number = number
        self.kind = kind
        self.from_on = from_on
        self.due_on = due_on
        self.due_day = due_on.toordinal()
        self.due = due
        self.paid = [0] * COMPONENTS
        self.waived = [0] * COMPONENTS
        self.open = sum(due)
        self.in_advance = 0
        self.late = 0
        self.paid_by_due = 0
        self.met_on: date | None = None
        self.met_day = 0
        self.met_before_bootstrap = False
        self.worst_late = 0  # most days past due in an earlier spell

    def left(self, component: int) -> int:
        """What is open of one component."""
        return self.due[component] - self.paid[component] - self.waived[component]

    def meet(self, on: date, day: int) -> None:
        """Note that nothing is left of it since `on`."""
        self.met_on = on
        self.met_day = day

    def reopen(self) -> None:
        """Note that there is a debt again, and remember how late the earlier one was met."""
        if self.met_on is not None:
            self.worst_late = max(self.worst_late, self.met_day - 1 - self.due_day)
            self.met_on = None


def rows_of(periods: Iterable[Period]) -> list[Row]:
    """Rows in the order of their due days."""
    rows = [
        Row(period.number, period.kind.value, period.from_on, period.due_on, _due_of(period))
        for period in periods
    ]
    rows.sort(key=lambda row: (row.due_day, row.number))
    for row in rows:
        if row.open == 0:
            row.meet(row.due_on, row.due_day)
    return rows


def lacks_components(periods: Iterable[Period]) -> bool:
    """Whether upstream gave totals only, so that a principal can but be estimated."""
    return any(period.principal_minor is None and period.total_minor for period in periods)


def schedule_issue(rows: list[Row], disbursed: int, *, estimated: bool) -> str | None:
    """Why a schedule cannot be right: its principal is not what was disbursed, or numbers clash."""
    if len({row.number for row in rows}) < len(rows):
        return "installment_numbers_repeat"
    if not estimated and disbursed and sum(row.due[0] for row in rows) != disbursed:
        return "principal_is_not_the_disbursed_amount"
    return None


def is_countable(row: Row) -> bool:
    """Whether it is a customer's installment: something was due, and not at the disbursement."""
    return row.kind != PeriodKind.DOWN_PAYMENT.value and any(row.due)


def _due_of(period: Period) -> list[int]:
    interest, fee, penalty = int(period.interest_minor), int(period.fee_minor), int(period.penalty_minor)
    if period.principal_minor is not None:
        return [int(period.principal_minor), interest, fee, penalty]
    total = int(period.total_minor or 0)
    return [max(0, total - interest - fee - penalty), interest, fee, penalty]
