"""How late a loan is at the close of a day: days past due, the class made of them, the next change."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date

from loanbook.domain.punctuality import Punctuality
from loanbook.domain.row import Row
from loanbook.domain.settings import ProductSettings
from loanbook.domain.state import DelinquencyBucket

PAR_DAYS = (30, 60, 90)


class Arrears:
    """What is past due at the close of a day: exclusive, so what is due that day is not."""

    __slots__ = ("overdue", "rows", "since_day", "today")

    def __init__(self, rows: list[Row], as_of: date, tolerance: int = 0) -> None:
        self.today = today = as_of.toordinal()
        self.rows: list[tuple[Row, int]] = []  # with what is past due of each
        self.overdue = 0
        self.since_day = 0
        for row in rows:
            since, amount = row.arrears(today) if row.open > tolerance else (0, 0)
            if amount > tolerance:
                self._add(row, since, amount)

    def _add(self, row: Row, since_day: int, amount: int) -> None:
        self.rows.append((row, amount))
        self.overdue += amount
        self.since_day = min(since_day, self.since_day) if self.since_day else since_day

    @property
    def past_due_on(self) -> date | None:
        """The day since which it is past due."""
        return date.fromordinal(self.since_day) if self.since_day else None

    @property
    def days_past_due(self) -> int:
        """Days since then; 0 when nothing is past due."""
        return self.today - self.since_day if self.since_day else 0


def classify(delinquent_days: int, edges: tuple[int, ...]) -> DelinquencyBucket:
    """The bucket of a number of days; a bucket holds the days strictly over its edge."""
    if delinquent_days <= 0:
        return DelinquencyBucket.CURRENT
    return DelinquencyBucket(1 + bisect_left(edges, delinquent_days))


def paused_days(pauses: list[tuple[date, date]], since: date, as_of: date) -> int:
    """Days between two days on which the count stood still; pauses include both their ends."""
    days = 0
    for start, end in _merged(pauses):
        days += max(0, (min(end, as_of) - max(start, since)).days)
    return days


def delinquent_days(
    since: date | None, as_of: date, pauses: list[tuple[date, date]], settings: ProductSettings
) -> int:
    """Days past due as the class counts them: without pauses, less the grace."""
    if since is None:
        return 0
    counted = (as_of - since).days - settings.grace_days
    if pauses and not settings.pause_counts:
        counted -= paused_days(pauses, since, as_of)
    return max(0, counted)


def next_boundary_on(  # noqa: PLR0913, PLR0917 - the facts a day can depend on
    rows: list[Row],
    as_of: date,
    settings: ProductSettings,
    arrears: Arrears,
    pauses: list[tuple[date, date]],
    punctuality: Punctuality,
    default_day: int,
) -> date | None:
    """The first day after `as_of` on which the same events give another figure."""
    today = as_of.toordinal()
    days = [default_day]
    if arrears.since_day:
        days += [arrears.since_day + edge + 1 for edge in PAR_DAYS]
        days += _class_changes(arrears.since_day, settings, pauses)
    days += [day.toordinal() for pause in pauses for day in pause]
    if punctuality.first_missed_day:
        days.append(punctuality.first_missed_day + punctuality.window_days)
    for row in rows:
        if row.open and (row.chargebacks or row.debts):
            days += [day + 1 for day, _ in row.debts or row.chargebacks]
        if row.due_day > today:
            days.append(row.due_day)
        elif row.due_day == today:
            days.append(today + 1)
        elif row.open:
            days.append(row.due_day + settings.missed_after_days + 1)
    ahead = min((day for day in days if day > today), default=None)
    return None if ahead is None else date.fromordinal(ahead)


def _class_changes(since_day: int, settings: ProductSettings, pauses: list[tuple[date, date]]) -> list[int]:
    """The days on which the class passes an edge, grace and pauses counted in."""
    first = since_day + settings.grace_days + 1
    days = [first, *(first + edge for edge in settings.bucket_edges)]
    if settings.pause_counts:
        return days
    for start, end in _merged(pauses):
        begin, length = max(start.toordinal(), since_day), 0
        length = max(0, end.toordinal() - begin)
        days = [day + length if day > begin else day for day in days]
    return days


def _merged(pauses: list[tuple[date, date]]) -> list[tuple[date, date]]:
    """Pauses in order, overlapping ones as one."""
    merged: list[tuple[date, date]] = []
    for start, end in sorted(pauses):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
