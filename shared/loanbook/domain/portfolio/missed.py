"""How loans move by installments missed, and whether cured ones fall behind again."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from loanbook.domain.portfolio.migration import CHARGED_OFF, CLOSED, WRITTEN_OFF, Matrix, place_of
from loanbook.domain.portfolio.ratio import Ratio
from loanbook.domain.state import Loan

MISSED_MAX = 4  # that many or more
MISSED_PLACES = (*(str(count) for count in range(MISSED_MAX)), f"{MISSED_MAX}+")
RELAPSE_DAYS = 90
RELAPSE_OVER_DAYS = 30


def installments_missed(loan: Loan) -> int:
    """Installments due since the oldest unpaid due day, that one included, whatever the months' length."""
    since = loan.past_due_on
    if since is None:
        return 0
    return sum(since <= item.due_on < loan.as_of and item.due.total > 0 for item in loan.installments)


def place_by_missed(loan: Loan) -> str | None:
    """Where a loan stands by installments missed, or which end it came to; None if not paid out."""
    place = place_of(loan)
    if place in {None, CLOSED, CHARGED_OFF, WRITTEN_OFF}:
        return place
    return MISSED_PLACES[min(installments_missed(loan), MISSED_MAX)]


def roll_rates_by_missed(
    opening: Iterable[Loan], closing: Iterable[Loan], *, by_amount: bool = True
) -> Matrix:
    """As `roll_rates`, between numbers of installments missed; by amount at the opening, or by count."""
    after = {loan.loan_id: place_by_missed(loan) for loan in closing}
    ends = (*MISSED_PLACES, CLOSED, CHARGED_OFF, WRITTEN_OFF)
    moved = {place: dict.fromkeys(ends, 0) for place in MISSED_PLACES}
    for loan in opening:
        start, end = place_by_missed(loan), after.get(loan.loan_id)
        if start in moved and end is not None:
            moved[start][end] += loan.principal_outstanding if by_amount else 1
    return {
        start: {end: Ratio(numerator=size, denominator=sum(row.values())) for end, size in row.items()}
        for start, row in moved.items()
    }


def relapse_rate(
    cured: Collection[str], closes: Iterable[Iterable[Loan]], *, over_days: int = RELAPSE_OVER_DAYS
) -> Ratio:
    """Of cured loans, those more than so many days past due at any of the closes (of the 90 days after)."""
    relapsed = {
        loan.loan_id
        for close in closes
        for loan in close
        if loan.loan_id in cured and loan.days_past_due > over_days
    }
    return Ratio(numerator=len(relapsed), denominator=len(cured))
