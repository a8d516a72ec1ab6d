"""How late a loan is, and how punctual it was: figures of its rows at the close of a day."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date

from loanbook.domain.schedule import Row, is_countable
from loanbook.domain.settings import ProductSettings
from loanbook.domain.state import DelinquencyBucket

WINDOW_DAYS = 365  # "the last twelve months" of behaviour
RECENT = 3


def classify(delinquent_days: int, edges: tuple[int, ...]) -> DelinquencyBucket:
    """The bucket of a number of days; a bucket holds the days strictly over its edge."""
    if delinquent_days <= 0:
        return DelinquencyBucket.CURRENT
    return DelinquencyBucket(1 + bisect_left(edges, delinquent_days))


def past_due_on(rows: list[Row], as_of: date, tolerance: int = 0) -> date | None:
    """Due day of the oldest row that was due before `as_of` and still owes more than the tolerance."""
    for row in rows:
        if row.due_on >= as_of:
            return None
        if row.open > tolerance:
            return row.due_on
    return None


def days_late(row: Row, as_of_day: int) -> int:
    """The most days past due this row has ever been at a close, up to a day."""
    spell = (row.met_day - 1 if row.met_on is not None else as_of_day) - row.due_day
    return max(spell, row.worst_late, 0)


def first_payment_row(rows: list[Row]) -> Row | None:
    """The first installment that a customer pays: no down payment, not a row without a due."""
    return next((row for row in rows if is_countable(row)), None)


def term_of(rows: list[Row], disbursed_on: date | None, term_days: int | None) -> int:
    """The loan's term in days, stated or from disbursement to the last due day."""
    if term_days is not None or disbursed_on is None or not rows:
        return term_days or 0
    return (rows[-1].due_on - disbursed_on).days


def first_payment_default_days(settings: ProductSettings, term_days: int) -> int:
    """After how many days unpaid the first installment makes a first-payment default."""
    if term_days > settings.short_term_days:
        return settings.first_payment_default_days
    return settings.first_payment_default_days_short


class Punctuality:
    """What the installments due before a day tell of the borrower."""

    __slots__ = (
        "days_late_sum",
        "decided",
        "first_missed_day",
        "max_days_late",
        "missed_12m",
        "recent",
        "streak",
    )

    def __init__(self, rows: list[Row], as_of: date, settings: ProductSettings) -> None:
        self.decided = self.missed_12m = self.streak = self.days_late_sum = self.max_days_late = 0
        self.first_missed_day = 0  # due day of the oldest missed row in the window
        self.recent: list[int] = []
        today = as_of.toordinal()
        for row in rows:
            if row.due_day >= today:
                break
            if row.met_before_bootstrap:
                continue
            self.max_days_late = max(self.max_days_late, days_late(row, today))
            if is_countable(row):
                self._judge(row, today, settings.missed_after_days)

    def _judge(self, row: Row, today: int, missed_after: int) -> None:
        met = row.met_on is not None
        late = max(0, (row.met_day if met else today) - row.due_day)
        if not met and late <= missed_after:
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


def next_boundary_on(  # noqa: PLR0913, PLR0917 - the facts a day can depend on
    rows: list[Row],
    as_of: date,
    settings: ProductSettings,
    late_since: date | None,
    punctuality: Punctuality,
    default_day: int,
) -> date | None:
    """The first day after `as_of` on which the same events give another figure."""
    today = as_of.toordinal()
    days = [default_day]
    if late_since is not None:
        start = late_since.toordinal()
        days += [start + settings.grace_days + 1]
        days += [start + settings.grace_days + edge + 1 for edge in settings.bucket_edges]
        days += [start + edge + 1 for edge in (30, 60, 90)]
    if punctuality.first_missed_day:
        days.append(punctuality.first_missed_day + WINDOW_DAYS)
    for row in rows:
        if row.due_day > today:
            days.append(row.due_day)
            break
        if row.due_day == today:
            days.append(today + 1)
        elif row.open:
            days.append(row.due_day + settings.missed_after_days + 1)
    ahead = min((day for day in days if day > today), default=None)
    return None if ahead is None else date.fromordinal(ahead)
