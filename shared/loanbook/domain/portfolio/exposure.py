"""What is out and how much of it is at risk: measures of one day's states, in one currency."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from loanbook.domain.portfolio.ratio import Ratio, Share
from loanbook.domain.state import DelinquencyBucket, Loan, LoanStatus

STALE = "stale"
DEFAULT_AFTER_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of the portfolio."""

    loans: int = 0
    principal: int = 0
    overdue: int = 0


def in_portfolio(loans: Iterable[Loan], *, charged_off: bool = False) -> list[Loan]:
    """Loans paid out, not closed, overpaid or written off; charged-off ones only when asked for.

    Raises ValueError for loans in more than one currency: they are never added.
    """
    chosen = [
        loan
        for loan in loans
        if loan.status is LoanStatus.ACTIVE and (charged_off or loan.charged_off_on is None)
    ]
    currencies = {loan.currency for loan in chosen}
    if len(currencies) > 1:
        msg = f"loans in {', '.join(sorted(map(str, currencies)))} cannot be added"
        raise ValueError(msg)
    return chosen


def gross_loan_portfolio(loans: Iterable[Loan], *, charged_off: bool = False) -> int:
    """Principal outstanding of the portfolio."""
    return sum(loan.principal_outstanding for loan in in_portfolio(loans, charged_off=charged_off))


def portfolio_at_risk(
    loans: Iterable[Loan], *, over_days: int = 30, charged_off: bool = False, restructured: bool = False
) -> Share:
    """Whole principal of loans more than so many days past due, over the portfolio; and by count.

    With `restructured`, a loan whose terms were eased is at risk whatever its days.
    """
    portfolio = in_portfolio(loans, charged_off=charged_off)
    at_risk = [
        loan
        for loan in portfolio
        if loan.days_past_due > over_days or (restructured and loan.restructured_on is not None)
    ]
    return Share(
        amount=Ratio(numerator=_principal(at_risk), denominator=_principal(portfolio)),
        count=Ratio(numerator=len(at_risk), denominator=len(portfolio)),
    )


def arrears_rate(loans: Iterable[Loan]) -> Ratio:
    """Overdue principal over the portfolio; this is not portfolio at risk."""
    portfolio = in_portfolio(loans)
    overdue = sum(loan.overdue_principal for loan in portfolio)
    return Ratio(numerator=overdue, denominator=_principal(portfolio))


def bucket_split(
    loans: Iterable[Loan], *, stale: Collection[str] = ()
) -> dict[DelinquencyBucket | str, Slice]:
    """The portfolio by class of lateness; loans known to be stale stand apart. Sums to the portfolio."""
    split: dict[DelinquencyBucket | str, list[Loan]] = {bucket: [] for bucket in DelinquencyBucket}
    split[STALE] = []
    for loan in in_portfolio(loans):
        split[STALE if loan.loan_id in stale else loan.bucket].append(loan)
    return {name: _slice(part) for name, part in split.items()}


def is_in_default(loan: Loan, *, after_days: int = DEFAULT_AFTER_DAYS) -> bool:
    """Now more than so many days past due, charged off or written off."""
    lost = loan.charged_off_on is not None or loan.written_off_on is not None
    return lost or loan.days_past_due > after_days


def non_performing_ratio(loans: Iterable[Loan], *, after_days: int = DEFAULT_AFTER_DAYS) -> Ratio:
    """Principal of loans in default over the portfolio, charged-off loans in both."""
    portfolio = in_portfolio(loans, charged_off=True)
    bad = [loan for loan in portfolio if is_in_default(loan, after_days=after_days)]
    return Ratio(numerator=_principal(bad), denominator=_principal(portfolio))


def default_rate(
    loans: Iterable[Loan], *, after_days: int = DEFAULT_AFTER_DAYS, min_age_days: int = 0
) -> Ratio:
    """Loans ever in default over loans paid out, by count; optionally only loans of some age."""
    old = [
        loan
        for loan in loans
        if loan.disbursed_on is not None and (loan.as_of - loan.disbursed_on).days >= min_age_days
    ]
    ever = sum(is_in_default(loan, after_days=after_days) or loan.max_dpd > after_days for loan in old)
    return Ratio(numerator=ever, denominator=len(old))


def top_share(loans: Iterable[Loan], *, count: int, key: Callable[[Loan], Hashable]) -> Ratio:
    """Share of the portfolio's principal held by the largest groups (borrowers, branches, ...)."""
    sizes = sorted(_by_key(loans, key).values(), reverse=True)
    return Ratio(numerator=sum(sizes[:count]), denominator=sum(sizes))


def herfindahl(loans: Iterable[Loan], *, key: Callable[[Loan], Hashable]) -> Fraction | None:
    """Sum of the squared shares of the groups: 1 when one group holds it all."""
    sizes = list(_by_key(loans, key).values())
    whole = sum(sizes)
    return Fraction(sum(size * size for size in sizes), whole * whole) if whole else None


def _by_key(loans: Iterable[Loan], key: Callable[[Loan], Hashable]) -> dict[Hashable, int]:
    sizes: dict[Hashable, int] = {}
    for loan in in_portfolio(loans):
        sizes[key(loan)] = sizes.get(key(loan), 0) + loan.principal_outstanding
    return sizes


def _principal(loans: Iterable[Loan]) -> int:
    return sum(loan.principal_outstanding for loan in loans)


def _slice(loans: list[Loan]) -> Slice:
    overdue = sum(loan.overdue for loan in loans)
    return Slice(loans=len(loans), principal=_principal(loans), overdue=overdue)
