"""From tallies to figures: a month's collection, punctuality and losses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from analytics_api.flow.figures import ratio
from analytics_api.flow.rolling import month_end
from analytics_api.flow.tallies import Measure
from analytics_api.schemas.collection import (
    CollectionMonth,
    CollectionToday,
    Delay,
    OutcomeName,
    OutcomeShare,
    PunctualityMonth,
    ResolutionPoint,
    WriteOffMonth,
)
from analytics_api.schemas.parts import money
from analytics_api.store import Row
from loanbook.domain.money import divide_half_even

YEAR_DAYS = 365
_OUTCOMES: Final[Mapping[OutcomeName, Measure]] = {
    "on_time": Measure.ON_TIME,
    "late": Measure.LATE,
    "missed": Measure.MISSED,
    "open": Measure.UNMET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTallies:
    """What was tallied in the days of a month, of one part of a book."""

    first_on: date
    last_on: date
    sums: Mapping[int, tuple[int, int]]  # by measure: items and total
    principal_sum: int = 0  # over the closes
    closes: int = 0

    def items(self, measure: Measure) -> int:
        """How many."""
        return self.sums.get(measure, (0, 0))[0]

    def total(self, measure: Measure) -> int:
        """How much: minor units, or days."""
        return self.sums.get(measure, (0, 0))[1]


def by_part(
    months: Sequence[date], as_of: date, tallies: Iterable[Row], portfolio: Iterable[Row] = ()
) -> dict[str, list[MonthTallies]]:
    """Every part's months in order, those without an entry too; an undivided book is the part ""."""
    sums: dict[str, dict[date, dict[int, tuple[int, int]]]] = defaultdict(lambda: defaultdict(dict))
    for row in tallies:
        sums[row["label"]][row["month"]][row["measure"]] = (row["items"], row["total"])
    stood = {(row["label"], row["month"]): row for row in portfolio}
    closes = {row["month"]: row["closes"] for row in stood.values()}
    labels = sorted(sums.keys() | {label for label, _ in stood}) or [""]
    return {
        label: [
            MonthTallies(
                first_on=month,
                last_on=min(month_end(month), as_of),
                sums=sums[label][month],
                principal_sum=stood[label, month]["principal_minor"] if (label, month) in stood else 0,
                closes=closes.get(month, 0),
            )
            for month in months
        ]
        for label in labels
    }


def collection_of(tallies: MonthTallies, currency: str) -> CollectionMonth:
    """Current and total efficiency of a month."""
    due, collected = tallies.total(Measure.DUE), tallies.total(Measure.COLLECTED)
    cash = tallies.total(Measure.CASH)
    return CollectionMonth(
        **_days(tallies),
        loans=tallies.items(Measure.LOANS),
        installments=tallies.items(Measure.DUE),
        due=money(due, currency),
        collected=money(collected, currency),
        current_efficiency=ratio(collected, due),
        cash=money(cash, currency),
        total_efficiency=ratio(cash, due),
    )


def today_of(day: date, row: Row, currency: str) -> CollectionToday:
    """The running day so far."""
    return CollectionToday(
        day=day,
        installments=row["installments"],
        due=money(row["due_minor"], currency),
        collected=money(row["collected_minor"], currency),
        collected_share=ratio(row["collected_minor"], row["due_minor"]),
        cash=money(row["cash_minor"], currency),
    )


def punctuality_of(tallies: MonthTallies, currency: str) -> PunctualityMonth:
    """Outcomes of a month's installments, and the delays of those met in it."""
    decided = [measure for name, measure in _OUTCOMES.items() if name != "open"]
    count = sum(tallies.items(measure) for measure in decided)
    amount = sum(tallies.total(measure) for measure in decided)
    return PunctualityMonth(
        **_days(tallies),
        outcomes=[
            OutcomeShare(
                outcome=name,
                installments=tallies.items(measure),
                amount=money(tallies.total(measure), currency),
            )
            for name, measure in _OUTCOMES.items()
        ],
        decided=count,
        decided_amount=money(amount, currency),
        on_time_rate=ratio(tallies.items(Measure.ON_TIME), count),
        on_time_rate_by_amount=ratio(tallies.total(Measure.ON_TIME), amount),
        delay=Delay(
            met=tallies.items(Measure.DELAY),
            late=tallies.items(Measure.DELAY_LATE),
            days=tallies.total(Measure.DELAY),
            mean_days=ratio(tallies.total(Measure.DELAY), tallies.items(Measure.DELAY)),
            mean_days_of_late=ratio(tallies.total(Measure.DELAY), tallies.items(Measure.DELAY_LATE)),
        ),
    )


def write_offs_of(tallies: MonthTallies, currency: str) -> WriteOffMonth:
    """A month's losses over the average portfolio, and what its write-offs brought back."""
    lost, days = tallies.total(Measure.LOST), (tallies.last_on - tallies.first_on).days + 1
    average = divide_half_even(tallies.principal_sum, tallies.closes) if tallies.closes else None
    written_off, recovered = tallies.total(Measure.WRITTEN_OFF), tallies.total(Measure.RECOVERED)
    return WriteOffMonth(
        **_days(tallies),
        lost_loans=tallies.items(Measure.LOST),
        lost=money(lost, currency),
        average_portfolio=None if average is None else money(average, currency),
        closes=tallies.closes,
        write_off_ratio=ratio(lost, average or 0),
        annualized_ratio=ratio(lost * YEAR_DAYS, (average or 0) * days),
        days=days,
        written_off_loans=tallies.items(Measure.WRITTEN_OFF),
        written_off=money(written_off, currency),
        recovered_loans=tallies.items(Measure.RECOVERED),
        recovered=money(recovered, currency),
        recovery_rate=ratio(recovered, written_off),
    )


def resolution_of(rows: Iterable[Row], currency: str) -> list[ResolutionPoint]:
    """The curve by which late installments were met."""
    return [
        ResolutionPoint(
            within_days=row["within_days"],
            late=row["late"],
            met=row["met"],
            ratio_by_count=ratio(row["met"], row["late"]),
            late_amount=money(row["late_minor"], currency),
            met_amount=money(row["met_minor"], currency),
            ratio=ratio(row["met_minor"], row["late_minor"]),
        )
        for row in rows
    ]


def days_to_resolve(curve: Iterable[ResolutionPoint], percent: int = 95) -> int | None:
    """Within how many days such a part of late installments was met."""
    reached = (point.within_days for point in curve if 100 * point.met >= percent * point.late > 0)
    return next(reached, None)


def _days(tallies: MonthTallies) -> dict[str, Any]:
    return {
        "month": f"{tallies.first_on:%Y-%m}",
        "first_on": tallies.first_on,
        "last_on": tallies.last_on,
        "to_date": tallies.last_on < month_end(tallies.first_on),
    }
