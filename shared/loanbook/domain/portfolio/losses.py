"""What is lost and what is set aside for it: write-offs, recoveries, provisions, stages, expected loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import lcm

from loanbook.domain.portfolio.exposure import in_portfolio, portfolio_at_risk
from loanbook.domain.portfolio.migration import BUCKETS, CHARGED_OFF, CLOSED, WRITTEN_OFF, Matrix, aged
from loanbook.domain.portfolio.ratio import Ratio
from loanbook.domain.state import DelinquencyBucket, Loan, LoanStatus

YEAR_MONTHS = 12
_BPS = 10_000
DEFAULT = "DEFAULT"
_STATES = (*BUCKETS, CLOSED, DEFAULT)


def write_off_ratio(loans: Iterable[Loan], *, first_on: date, last_on: date, average_portfolio: int) -> Ratio:
    """Written or charged off in a period over the average portfolio of it; not annualised."""
    lost = 0
    for loan in loans:
        if loan.charged_off_on is not None:
            lost += loan.charged_off if first_on <= loan.charged_off_on <= last_on else 0
        elif loan.written_off_on is not None and first_on <= loan.written_off_on <= last_on:
            lost += loan.written_off
    return Ratio(numerator=lost, denominator=average_portfolio)


def recovery_rate(loans: Iterable[Loan], *, first_on: date, last_on: date) -> Ratio:
    """Recovered of what was written off in a period, whenever the money came."""
    cohort = [
        loan
        for loan in loans
        if loan.written_off_on is not None and first_on <= loan.written_off_on <= last_on
    ]
    return Ratio(
        numerator=sum(loan.recovered for loan in cohort), denominator=sum(loan.written_off for loan in cohort)
    )


def provision(
    loans: Iterable[Loan], rates_bps: Mapping[DelinquencyBucket, int], *, on_total: bool = False
) -> int:
    """Provision by class: a rate on the principal, or on all that is owed; rounded once a loan."""
    amounts = (
        (loan.total_outstanding if on_total else loan.principal_outstanding) * rates_bps[loan.bucket]
        for loan in in_portfolio(loans)
    )
    return sum(_rounded(Fraction(amount, _BPS)) for amount in amounts)


def risk_coverage(loans: Sequence[Loan], provisions: int) -> Ratio:
    """Provisions over the principal more than 30 days past due."""
    at_risk = portfolio_at_risk(loans, over_days=30).amount.numerator
    return Ratio(numerator=provisions, denominator=at_risk)


def ifrs9_stage(
    loan: Loan, *, impaired_from: int = 90, increased_over: int = 30, is_watched: bool = False
) -> int:
    """Stage 3 from 90 days past due or lost, 2 over 30 days or when the risk has risen, else 1."""
    if loan.charged_off_on is not None or loan.status is LoanStatus.WRITTEN_OFF:
        return 3
    if loan.days_past_due >= impaired_from:
        return 3
    eased = loan.restructured_on is not None
    return 2 if loan.days_past_due > increased_over or eased or is_watched else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LossAssumptions:
    """What an expected loss rests on; shown beside every figure."""

    monthly: Matrix  # month to month, by count or by amount
    loss_given_default: Fraction
    annual_discount_rate: Fraction = Fraction(0)
    default_from: DelinquencyBucket = DelinquencyBucket.DPD_91_PLUS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLoss:
    """An estimate, not an accounting figure."""

    stage: int
    exposure: int
    default_probability: Fraction
    amount: int


def exposure_at_default(loan: Loan) -> int:
    """Principal, and the interest, fees and penalties that are overdue."""
    return loan.principal_outstanding + max(0, loan.overdue - loan.overdue_principal)


def expected_credit_loss(
    loan: Loan, assumptions: LossAssumptions, *, stage: int | None = None
) -> ExpectedLoss:
    """Twelve months' loss in stage 1, the lifetime's in stage 2, all of it in stage 3."""
    stage = ifrs9_stage(loan) if stage is None else stage
    exposure, severity = exposure_at_default(loan), assumptions.loss_given_default
    months = _remaining_months(loan)
    marginal = marginal_default_probabilities(loan.bucket, assumptions, months)
    if stage == 3:  # noqa: PLR2004 - the standard's own number
        probability, loss = Fraction(1), severity * exposure
    elif stage == 1:
        probability = sum(marginal[:YEAR_MONTHS], Fraction(0))
        loss = probability * severity * exposure
    else:
        probability = sum(marginal, Fraction(0))
        loss = _lifetime_loss(loan, assumptions, marginal)
    return ExpectedLoss(
        stage=stage, exposure=exposure, default_probability=probability, amount=_rounded(loss)
    )


def marginal_default_probabilities(
    bucket: DelinquencyBucket, assumptions: LossAssumptions, months: int
) -> list[Fraction]:
    """The probability of falling into default in each coming month, from powers of the roll matrix."""
    step = _with_default_absorbing(assumptions)
    # Whole numbers over powers of one denominator: fractions would be reduced at every step.
    common = lcm(*(part.denominator for row in step.values() for part in row.values()))
    weights = {
        start: {end: int(part * common) for end, part in row.items() if part} for start, row in step.items()
    }
    place = DEFAULT if bucket >= assumptions.default_from else bucket.name
    spread = {state: int(state == place) for state in _STATES}
    marginal = []
    for month in range(1, months + 1):
        before, after = spread[DEFAULT], dict.fromkeys(_STATES, 0)
        for start, row in weights.items():
            for end, weight in row.items():
                after[end] += spread[start] * weight
        spread = after
        marginal.append(Fraction(spread[DEFAULT] - before * common, common**month))
    return marginal


def _with_default_absorbing(assumptions: LossAssumptions) -> dict[str, dict[str, Fraction]]:
    bad = {bucket.name for bucket in DelinquencyBucket if bucket >= assumptions.default_from}
    bad |= {CHARGED_OFF, WRITTEN_OFF}
    step: dict[str, dict[str, Fraction]] = {}
    for start in _STATES:
        row = dict.fromkeys(_STATES, Fraction(0))
        observed = assumptions.monthly.get(start)
        if start in (CLOSED, DEFAULT) or start in bad or observed is None:
            row[DEFAULT if start in bad else start] = Fraction(1)
        elif not any(ratio.denominator for ratio in observed.values()):
            row[start] = Fraction(1)  # nothing was seen there: assume that it stays
        else:
            for end, ratio in observed.items():
                row[DEFAULT if end in bad else end] += ratio.value or 0
        step[start] = row
    return step


def _lifetime_loss(loan: Loan, assumptions: LossAssumptions, marginal: list[Fraction]) -> Fraction:
    monthly_rate = assumptions.annual_discount_rate / YEAR_MONTHS
    loss = Fraction(0)
    for month, probability in enumerate(marginal, start=1):
        exposure = exposure_at_default(loan) - _planned_repayment(loan, month - 1)
        discount = 1 / (1 + monthly_rate) ** month
        loss += probability * assumptions.loss_given_default * max(0, exposure) * discount
    return loss


def _planned_repayment(loan: Loan, months: int) -> int:
    """Principal that falls due by plan in the coming months; what is overdue stays exposed."""
    until = aged(loan.as_of, months, by_week=False)
    ahead = [item for item in loan.installments if loan.as_of <= item.due_on <= until]
    return sum(item.due.principal - item.paid.principal - item.waived.principal for item in ahead)


def _remaining_months(loan: Loan) -> int:
    """Whole months to the last due day, at least one: a matured loan can still default."""
    last = max((item.due_on for item in loan.installments), default=loan.as_of)
    months = 1
    while aged(loan.as_of, months, by_week=False) < last:
        months += 1
    return months


def _rounded(amount: Fraction) -> int:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
