"""What the figures are: sums, shares and ratios from the cells of a roll-up, in minor units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analytics_api.schemas.parts import money
from analytics_api.schemas.portfolio import (
    ArrearsRate,
    Bucket,
    BucketName,
    Figures,
    NonPerforming,
    PortfolioAtRisk,
    Standing,
    StandingName,
    Totals,
)
from loanbook.domain.loan import DelinquencyBucket, LoanStatus
from loanbook.domain.money import divide_half_even

CHARGED_OFF: Final = 6  # stands in the roll-ups only: active and charged off
BUCKET_NAMES: Final[tuple[BucketName, ...]] = ("current", "1-30", "31-60", "61-90", "91+")
STATUS_NAMES: Final = ("pending", "active", "overpaid", "closed", "written_off", "cancelled", "charged_off")
BAND_NAMES: Final = ("LOW", "WATCH", "HIGH", "CRITICAL")
SEVERITY_NAMES: Final = ("INFO", "WATCH", "HIGH", "CRITICAL")
PAR_EDGES: Final = ((0, 1), (30, 2), (60, 3), (90, 4))  # days, and the lowest bucket past them
STANDINGS: Final[tuple[StandingName, ...]] = (
    "performing",
    "underperforming",
    "defaulted",
    "fully_paid",
    "charged_off",
    "written_off",
)
_RATIO_SCALE = 10**6
_PAR_30_BUCKET: Final = dict(PAR_EDGES)[30]
_BY_STATUS: Mapping[int, StandingName] = {
    LoanStatus.OVERPAID: "fully_paid",
    LoanStatus.CLOSED: "fully_paid",
    LoanStatus.WRITTEN_OFF: "written_off",
    CHARGED_OFF: "charged_off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Loans of one bucket and status, summed; amounts in minor units."""

    bucket: int
    status: int
    loans: int = 0
    estimated_loans: int = 0
    disbursed_minor: int = 0
    paid_minor: int = 0
    principal_minor: int = 0
    outstanding_minor: int = 0
    overdue_minor: int = 0
    overdue_principal_minor: int = 0

    @property
    def is_active(self) -> bool:
        """Whether its loans count in the gross loan portfolio; charged-off ones do not."""
        return self.status == LoanStatus.ACTIVE

    @property
    def standing(self) -> StandingName | None:
        """Where its loans stand; None for loans that were never disbursed."""
        if not self.is_active:
            return _BY_STATUS.get(self.status)
        if self.bucket == DelinquencyBucket.CURRENT:
            return "performing"
        return "defaulted" if self.bucket == DelinquencyBucket.DPD_91_PLUS else "underperforming"


def cell_of(row: Mapping[str, Any]) -> Cell:
    """The cell of one row of a roll-up query."""
    return Cell(**{name: row[name] for name in Cell.__dataclass_fields__})


def ratio(part: int, whole: int) -> float | None:
    """Quotient to 6 decimals; None where nothing is the denominator."""
    return divide_half_even(part * _RATIO_SCALE, whole) / _RATIO_SCALE if whole else None


def figures_of(cells: Sequence[Cell], currency: str) -> Figures:
    """All figures of the cells."""
    active = [cell for cell in cells if cell.is_active]
    disbursed = [cell for cell in cells if cell.standing is not None]
    estimated = _sum(active, "estimated_loans")
    principal = _sum(active, "principal_minor")
    overdue_principal = _sum(active, "overdue_principal_minor")
    return Figures(
        totals=_totals(disbursed, active, currency),
        standings=[_standing(name, disbursed, currency) for name in STANDINGS],
        buckets=[_bucket(number, active, currency) for number in range(len(BUCKET_NAMES))],
        portfolio_at_risk=[_at_risk(days, lowest, active, currency) for days, lowest in PAR_EDGES],
        arrears_rate=ArrearsRate(
            ratio=ratio(overdue_principal, principal),
            numerator=money(overdue_principal, currency),
            denominator=money(principal, currency),
        ),
        non_performing=_non_performing(cells, currency),
        estimated=estimated > 0,
        estimated_loans=estimated,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PastStanding:
    """What an earlier close is compared by."""

    principal_minor: int
    par_30: float | None
    defaulted_share: float | None


def standing_of(cells: Sequence[Cell]) -> PastStanding:
    """The figures of the cells that a comparison names, without all the others."""
    active = [cell for cell in cells if cell.is_active]
    disbursed = [cell for cell in cells if cell.standing is not None]
    principal = _sum(active, "principal_minor")
    late = _sum((cell for cell in active if cell.bucket >= _PAR_30_BUCKET), "principal_minor")
    defaulted = _sum((cell for cell in disbursed if cell.standing == "defaulted"), "loans")
    return PastStanding(
        principal_minor=principal,
        par_30=ratio(late, principal),
        defaulted_share=ratio(defaulted, _sum(disbursed, "loans")),
    )


def defaulted_share(figures: Figures) -> float | None:
    """Share of the disbursed loans that are more than 90 days past due."""
    return next(item.share_of_loans for item in figures.standings if item.standing == "defaulted")


def at_risk(figures: Figures, over_days: int) -> PortfolioAtRisk:
    """Portfolio at risk over one number of days."""
    return next(item for item in figures.portfolio_at_risk if item.over_days == over_days)


def _non_performing(cells: Sequence[Cell], currency: str) -> NonPerforming:
    bad = [cell for cell in cells if cell.standing in {"defaulted", "charged_off"}]
    owed = [cell for cell in cells if cell.is_active or cell.status == CHARGED_OFF]
    numerator, denominator = _sum(bad, "principal_minor"), _sum(owed, "principal_minor")
    return NonPerforming(
        ratio=ratio(numerator, denominator),
        numerator=money(numerator, currency),
        denominator=money(denominator, currency),
    )


def _totals(disbursed: Sequence[Cell], active: Sequence[Cell], currency: str) -> Totals:
    late = [cell for cell in active if cell.bucket > DelinquencyBucket.CURRENT]
    paid_up = [cell for cell in disbursed if cell.standing == "fully_paid"]
    return Totals(
        disbursed=money(_sum(disbursed, "disbursed_minor"), currency),
        disbursed_loans=_sum(disbursed, "loans"),
        paid=money(_sum(disbursed, "paid_minor"), currency),
        fully_paid_loans=_sum(paid_up, "loans"),
        principal_outstanding=money(_sum(active, "principal_minor"), currency),
        total_outstanding=money(_sum(active, "outstanding_minor"), currency),
        active_loans=_sum(active, "loans"),
        overdue=money(_sum(active, "overdue_minor"), currency),
        overdue_loans=_sum(late, "loans"),
    )


def _standing(name: StandingName, disbursed: Sequence[Cell], currency: str) -> Standing:
    cells = [cell for cell in disbursed if cell.standing == name]
    return Standing(
        standing=name,
        loans=_sum(cells, "loans"),
        share_of_loans=ratio(_sum(cells, "loans"), _sum(disbursed, "loans")),
        disbursed=money(_sum(cells, "disbursed_minor"), currency),
        share_of_disbursed=ratio(_sum(cells, "disbursed_minor"), _sum(disbursed, "disbursed_minor")),
        principal_outstanding=money(_sum(cells, "principal_minor"), currency),
    )


def _bucket(number: int, active: Sequence[Cell], currency: str) -> Bucket:
    cells = [cell for cell in active if cell.bucket == number]
    principal = _sum(cells, "principal_minor")
    return Bucket(
        bucket=BUCKET_NAMES[number],
        loans=_sum(cells, "loans"),
        share_of_loans=ratio(_sum(cells, "loans"), _sum(active, "loans")),
        principal_outstanding=money(principal, currency),
        share_of_principal=ratio(principal, _sum(active, "principal_minor")),
        total_outstanding=money(_sum(cells, "outstanding_minor"), currency),
        overdue=money(_sum(cells, "overdue_minor"), currency),
    )


def _at_risk(over_days: int, lowest: int, active: Sequence[Cell], currency: str) -> PortfolioAtRisk:
    late = [cell for cell in active if cell.bucket >= lowest]
    numerator, denominator = _sum(late, "principal_minor"), _sum(active, "principal_minor")
    loans, loans_of = _sum(late, "loans"), _sum(active, "loans")
    return PortfolioAtRisk(
        over_days=over_days,
        ratio=ratio(numerator, denominator),
        numerator=money(numerator, currency),
        denominator=money(denominator, currency),
        ratio_by_count=ratio(loans, loans_of),
        loans=loans,
        loans_of=loans_of,
    )


def _sum(cells: Iterable[Cell], field: str) -> int:
    return sum(getattr(cell, field) for cell in cells)
