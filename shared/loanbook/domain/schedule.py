"""Rows made from a schedule, and the row that takes a debt which came later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from loanbook.domain.events import Period, PeriodKind
from loanbook.domain.row import Row

COMPONENTS = 4  # principal, interest, fee, penalty: settings.Component
# An enum's member costs a call each time it is looked up; these are looked up for every row of every fold.
_ADDITIONAL, _REGULAR = PeriodKind.ADDITIONAL, PeriodKind.REGULAR


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
        row.note(0)
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
        if row.due_on >= due_on and row.kind is _REGULAR:
            return row
    return additional_row(rows, due_on)


def additional_row(rows: list[Row], on: date) -> Row:
    """The N+1 row, due on that day or later; the last installment where it is due that very day."""
    last = rows[-1]
    if last.kind is _ADDITIONAL:
        if last.due_on < on:
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
    return row.kind is _REGULAR and (due[0] or due[1] or due[2] or due[3]) > 0


def _due_of(period: Period) -> list[int]:
    interest, fee, penalty = period.interest_minor, period.fee_minor, period.penalty_minor
    principal: int | None = period.principal_minor
    if principal is None:
        principal = max(0, (period.total_minor or 0) - interest - fee - penalty)
    return [int(principal), int(interest), int(fee), int(penalty)]
