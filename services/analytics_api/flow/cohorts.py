"""How cohorts age, and how their first payments went: from sums by cohort to curves and rates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from analytics_api.flow.figures import ratio
from analytics_api.schemas.cohorts import FirstPayments, VintageCell, VintageCurve
from analytics_api.schemas.parts import money
from analytics_api.store import Row
from loanbook.domain.portfolio.migration import aged


def curves_of(
    cohorts: Sequence[Row], passed: Sequence[Row], *, as_of: date, ages: int, currency: str
) -> list[VintageCurve]:
    """The curve of each cohort, from those that passed a threshold by the age at which they did."""
    by_cohort: dict[tuple[bool, date], list[Row]] = {}
    for row in passed:
        by_cohort.setdefault((row["by_week"], row["cohort_on"]), []).append(row)
    return [
        VintageCurve(
            cohort_on=cohort["cohort_on"],
            unit=_unit(by_week=cohort["by_week"]),
            youngest_on=cohort["youngest_on"],
            loans=cohort["loans"],
            disbursed=money(cohort["disbursed_minor"], currency),
            cells=[
                _cell(cohort, by_cohort.get((cohort["by_week"], cohort["cohort_on"]), []), age, currency)
                if aged(cohort["youngest_on"], age, by_week=cohort["by_week"]) <= as_of
                else VintageCell(age=age, loans=None, ratio_by_count=None, disbursed=None, ratio=None)
                for age in range(ages + 1)
            ],
        )
        for cohort in cohorts
    ]


def first_payments_of(rows: Iterable[Row], name: str, currency: str) -> FirstPayments:
    """The rates of some rows added up."""
    rows = list(rows)
    known, defaulted = _sum(rows, "known_loans"), _sum(rows, "defaulted_loans")
    known_minor, defaulted_minor = _sum(rows, "known_minor"), _sum(rows, "defaulted_minor")
    weeks = {row["by_week"] for row in rows}
    return FirstPayments(
        name=name,
        unit=_unit(by_week=weeks.pop()) if len(weeks) == 1 and None not in weeks else None,
        loans=_sum(rows, "loans"),
        known_loans=known,
        defaulted_loans=defaulted,
        ratio_by_count=ratio(defaulted, known),
        known_disbursed=money(known_minor, currency),
        defaulted_disbursed=money(defaulted_minor, currency),
        ratio=ratio(defaulted_minor, known_minor),
    )


def _cell(cohort: Row, passed: Sequence[Row], age: int, currency: str) -> VintageCell:
    by_then = [row for row in passed if row["age"] <= age]
    loans, disbursed = _sum(by_then, "loans"), _sum(by_then, "disbursed_minor")
    return VintageCell(
        age=age,
        loans=loans,
        ratio_by_count=ratio(loans, cohort["loans"]),
        disbursed=money(disbursed, currency),
        ratio=ratio(disbursed, cohort["disbursed_minor"]),
    )


def _unit(*, by_week: bool) -> Literal["month", "week"]:
    return "week" if by_week else "month"


def _sum(rows: Iterable[Row], field: str) -> int:
    return sum(row[field] for row in rows)
