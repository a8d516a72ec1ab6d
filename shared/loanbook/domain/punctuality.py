"""How punctual a borrower was: what the installments due before a day tell."""

from __future__ import annotations

from datetime import date

from loanbook.domain.row import Row
from loanbook.domain.schedule import is_countable
from loanbook.domain.settings import ProductSettings

WINDOW_DAYS = 365  # "the last twelve months"
RECENT = 3


class Punctuality:
    """Counts over the installments due before a day and decided: met, or not met for too long."""

    __slots__ = (
        "days_late_sum",
        "decided",
        "first_missed_day",
        "max_days_late",
        "missed_12m",
        "recent",
        "streak",
        "window_days",
    )

    def __init__(self, rows: list[Row], as_of: date, settings: ProductSettings) -> None:
        self.decided = self.missed_12m = self.streak = self.days_late_sum = self.max_days_late = 0
        self.first_missed_day = 0  # due day of the oldest missed row in the window
        self.window_days = WINDOW_DAYS
        self.recent: list[int] = []
        today = as_of.toordinal()
        for row in rows:
            if row.due_day >= today and not (row.chargebacks or row.debts):
                break
            if row.met_before_bootstrap:
                continue
            late = days_late(row, today)
            self.max_days_late = max(self.max_days_late, late)
            if row.due_day < today and is_countable(row):
                self._judge(row, today, settings.missed_after_days)

    def _judge(self, row: Row, today: int, missed_after: int) -> None:
        met = row.met_on is not None
        late = (row.met_day if met else today) - row.due_day
        if late <= 0:
            late = 0
        elif not met and late <= missed_after:
            return
        self.decided += 1
        if met:
            self.days_late_sum += late
        if late > missed_after and row.due_day > today - WINDOW_DAYS:
            self.missed_12m += 1
            self.first_missed_day = self.first_missed_day or row.due_day
        self.streak = 0 if late else self.streak + 1
        # An unmet one counts as just missed, so that the figure stands still between boundaries.
        self.recent = [*self.recent[1 - RECENT :], late if met else missed_after + 1]


def days_late(row: Row, today: int) -> int:
    """The most days past due this row has been at a close, up to a day."""
    if row.debts:
        return row.worst_arrears(today)
    if row.chargebacks:
        return max(row.worst_arrears(today), _days_late_by_due(row, today))
    return _days_late_by_due(row, today)


def _days_late_by_due(row: Row, today: int) -> int:
    if row.met_on is not None:
        return max(row.met_day - 1 - row.due_day, row.worst_late, 0)
    return max(today - row.due_day, row.worst_late, 0)


def first_payment_row(rows: list[Row]) -> Row | None:
    """The first installment that a customer pays: no down payment, not a row without a due."""
    return next((row for row in rows if is_countable(row)), None)


def first_payment_default(
    rows: list[Row], as_of: date, settings: ProductSettings, disbursed_on: date | None, term_days: int | None
) -> tuple[int, bool]:
    """The day on which a first-payment default will be known (0: never), and whether it is one."""
    row = first_payment_row(rows)
    if row is None or disbursed_on is None or row.met_before_bootstrap:
        return 0, False
    term = term_days if term_days is not None else (rows[-1].due_on - disbursed_on).days
    short = term <= settings.short_term_days
    grace = settings.first_payment_default_days_short if short else settings.first_payment_default_days
    last_day = row.due_day + grace
    if row.met_on is not None and row.met_day <= last_day:
        return 0, False
    return last_day + 1, as_of.toordinal() > last_day
