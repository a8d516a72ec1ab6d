"""How loans move between classes: roll rates, transitions, cures, vintages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from loanbook.domain.events import PeriodKind
from loanbook.domain.portfolio.ratio import Ratio, Share
from loanbook.domain.state import DelinquencyBucket, Loan, LoanStatus

CLOSED, CHARGED_OFF, WRITTEN_OFF = "CLOSED", "CHARGED_OFF", "WRITTEN_OFF"
BUCKETS = tuple(bucket.name for bucket in DelinquencyBucket)
PLACES = (*BUCKETS, CLOSED, CHARGED_OFF, WRITTEN_OFF)
Matrix = dict[str, dict[str, Ratio]]


def place_of(loan: Loan) -> str | None:
    """Where a loan stands: a bucket, or one of the ends it does not come back from; None if not paid out."""
    if loan.status in (LoanStatus.PENDING, LoanStatus.CANCELLED):
        return None
    if loan.status is LoanStatus.WRITTEN_OFF:
        return WRITTEN_OFF
    if loan.status in (LoanStatus.CLOSED, LoanStatus.OVERPAID):
        return CLOSED
    return CHARGED_OFF if loan.charged_off_on is not None else loan.bucket.name


def roll_rates(opening: Iterable[Loan], closing: Iterable[Loan]) -> Matrix:
    """Of each bucket's opening principal, the share in each place at the close; rows sum to 1.

    Loans that were in no bucket at the opening are outside.
    """
    return _matrix(opening, closing, by_amount=True)


def transition_matrix(opening: Iterable[Loan], closing: Iterable[Loan]) -> Matrix:
    """The same by number of loans (the cohort estimator)."""
    return _matrix(opening, closing, by_amount=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CureRate:
    """Loans of a bucket that came back to 0 days past due or were paid in full."""

    cured: Share
    by_restructure: int  # further loans that are current only because their terms were changed
    by_waiver: int  # ... because a debt was given up
    written_off: int  # ended, and no cure


def cure_rate(opening: Iterable[Loan], closing: Iterable[Loan], bucket: DelinquencyBucket) -> CureRate:
    """Cures of one bucket between two closes; eased and forgiven loans are counted apart."""
    after = {loan.loan_id: loan for loan in closing}
    before = [loan for loan in opening if place_of(loan) == bucket.name]
    kinds: dict[str, list[Loan]] = {"cured": [], "restructure": [], "waiver": [], "written_off": []}
    for loan in before:
        kind = kind_of_cure(loan, after[loan.loan_id])
        if kind is not None:
            kinds[kind].append(loan)
    principal = sum(loan.principal_outstanding for loan in before)
    cured = kinds["cured"]
    return CureRate(
        cured=Share(
            amount=Ratio(numerator=sum(loan.principal_outstanding for loan in cured), denominator=principal),
            count=Ratio(numerator=len(cured), denominator=len(before)),
        ),
        by_restructure=len(kinds["restructure"]),
        by_waiver=len(kinds["waiver"]),
        written_off=len(kinds["written_off"]),
    )


def first_day_over(loan: Loan, days: int) -> date | None:
    """The first close at which a loan was more than so many days past due, before a restructure too."""
    passed = [
        item.due_on + timedelta(days=days + 1)
        for item in loan.installments
        if item.due.total and (item.met_on is None or (item.met_on - item.due_on).days > days + 1)
    ]
    if loan.restructured_on is not None and loan.dpd_before_restructure > days:
        passed.append(loan.restructured_on - timedelta(days=loan.dpd_before_restructure - days))
    reached = [on for on in passed if on <= loan.as_of]
    return min(reached, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VintageCell:
    """A cohort at an age; None while its youngest loan is not that old."""

    loans: Ratio | None
    amount: Ratio | None


def vintage_curve(
    loans: Iterable[Loan], *, over_days: int, ages: int, as_of: date, by_week: bool = False
) -> dict[date, list[VintageCell]]:
    """Share of each cohort that was *ever* over so many days by each age, in months (weeks) from 0."""
    cohorts: dict[date, list[Loan]] = {}
    for loan in loans:
        if loan.disbursed_on is not None:
            cohorts.setdefault(cohort_of(loan.disbursed_on, by_week=by_week), []).append(loan)
    curves: dict[date, list[VintageCell]] = {}
    for start, members in sorted(cohorts.items()):
        youngest = max(loan.disbursed_on for loan in members if loan.disbursed_on is not None)
        curves[start] = [
            _cell(members, over_days, age, by_week=by_week)
            if aged(youngest, age, by_week=by_week) <= as_of
            else VintageCell(loans=None, amount=None)
            for age in range(ages + 1)
        ]
    return curves


def cohort_of(disbursed_on: date, *, by_week: bool) -> date:
    """The first day of the month (the Monday of the week) of a disbursement."""
    if by_week:
        return disbursed_on - timedelta(days=disbursed_on.weekday())
    return disbursed_on.replace(day=1)


def aged(on: date, age: int, *, by_week: bool) -> date:
    """The day on which something of that day is so many whole months (weeks) old."""
    if by_week:
        return on + timedelta(weeks=age)
    years, month = divmod(on.month - 1 + age, 12)
    for day in range(on.day, 27, -1):
        try:
            return date(on.year + years, month + 1, day)
        except ValueError:
            continue
    return date(on.year + years, month + 1, min(on.day, 28))


def _cell(members: list[Loan], over_days: int, age: int, *, by_week: bool) -> VintageCell:
    bad = []
    for loan in members:
        passed_on = first_day_over(loan, over_days)
        if passed_on is None or loan.disbursed_on is None:
            continue
        if passed_on <= aged(loan.disbursed_on, age, by_week=by_week):
            bad.append(loan)
    return VintageCell(
        loans=Ratio(numerator=len(bad), denominator=len(members)),
        amount=Ratio(
            numerator=sum(loan.disbursed for loan in bad),
            denominator=sum(loan.disbursed for loan in members),
        ),
    )


def _matrix(opening: Iterable[Loan], closing: Iterable[Loan], *, by_amount: bool) -> Matrix:
    after = {loan.loan_id: place_of(loan) for loan in closing}
    moved = {bucket: dict.fromkeys(PLACES, 0) for bucket in BUCKETS}
    for loan in opening:
        start, end = place_of(loan), after.get(loan.loan_id)
        if start in moved and end is not None:
            moved[start][end] += loan.principal_outstanding if by_amount else 1
    return {
        bucket: {place: Ratio(numerator=size, denominator=sum(row.values())) for place, size in row.items()}
        for bucket, row in moved.items()
    }


def kind_of_cure(before: Loan, after: Loan) -> str | None:
    """Whether a late loan was cured, or is current (gone) for another reason; None while it is late."""
    if after.status is LoanStatus.WRITTEN_OFF:
        return "written_off"
    is_current = after.status in (LoanStatus.CLOSED, LoanStatus.OVERPAID) or after.days_past_due == 0
    if not is_current:
        return None
    if after.restructures > before.restructures:
        return "restructure"
    if _waived(after) > _waived(before):
        return "waiver"
    return "cured"


def _waived(loan: Loan) -> int:
    return sum(item.waived.total for item in loan.installments if item.kind != PeriodKind.DOWN_PAYMENT)
