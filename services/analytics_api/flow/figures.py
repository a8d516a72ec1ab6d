"""What the figures are: sums, shares and ratios from the cells of a roll-up, in minor units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Sums:
    """Cells added up; amounts in minor units."""

    loans: int = 0
    estimated_loans: int = 0
    disbursed_minor: int = 0
    paid_minor: int = 0
    principal_minor: int = 0
    outstanding_minor: int = 0
    overdue_minor: int = 0
    overdue_principal_minor: int = 0

    def add(self, cell: Cell) -> None:
        """Count a cell in."""
        self.loans += cell.loans
        self.estimated_loans += cell.estimated_loans
        self.disbursed_minor += cell.disbursed_minor
        self.paid_minor += cell.paid_minor
        self.principal_minor += cell.principal_minor
        self.outstanding_minor += cell.outstanding_minor
        self.overdue_minor += cell.overdue_minor
        self.overdue_principal_minor += cell.overdue_principal_minor


@dataclass(slots=True)
class _Sorted:
    """The sums that figures are read off, made in one walk over the cells."""

    disbursed: _Sums = field(default_factory=_Sums)
    active: _Sums = field(default_factory=_Sums)
    standings: dict[StandingName, _Sums] = field(default_factory=lambda: {n: _Sums() for n in STANDINGS})
    buckets: list[_Sums] = field(default_factory=lambda: [_Sums() for _ in BUCKET_NAMES])  # of active loans


def _sorted_out(cells: Iterable[Cell]) -> _Sorted:
    found = _Sorted()
    for cell in cells:
        standing = cell.standing
        if standing is None:
            continue
        found.disbursed.add(cell)
        found.standings[standing].add(cell)
        if cell.is_active:
            found.active.add(cell)
            found.buckets[cell.bucket].add(cell)
    return found


def figures_of(cells: Iterable[Cell], currency: str) -> Figures:
    """All figures of the cells."""
    found = _sorted_out(cells)
    active = found.active
    return Figures(
        totals=_totals(found, currency),
        standings=[_standing(name, found, currency) for name in STANDINGS],
        buckets=[_bucket(number, found, currency) for number in range(len(BUCKET_NAMES))],
        portfolio_at_risk=[_at_risk(days, lowest, found, currency) for days, lowest in PAR_EDGES],
        arrears_rate=ArrearsRate(
            ratio=ratio(active.overdue_principal_minor, active.principal_minor),
            numerator=money(active.overdue_principal_minor, currency),
            denominator=money(active.principal_minor, currency),
        ),
        non_performing=_non_performing(found, currency),
        estimated=active.estimated_loans > 0,
        estimated_loans=active.estimated_loans,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PastStanding:
    """What an earlier close is compared by."""

    principal_minor: int
    par_30: float | None
    defaulted_share: float | None


def standing_of(cells: Iterable[Cell]) -> PastStanding:
    """The figures of the cells that a comparison names, without all the others."""
    found = _sorted_out(cells)
    principal = found.active.principal_minor
    late = sum(part.principal_minor for part in found.buckets[_PAR_30_BUCKET:])
    return PastStanding(
        principal_minor=principal,
        par_30=ratio(late, principal),
        defaulted_share=ratio(found.standings["defaulted"].loans, found.disbursed.loans),
    )


def defaulted_share(figures: Figures) -> float | None:
    """Share of the disbursed loans that are more than 90 days past due."""
    return next(item["share_of_loans"] for item in figures["standings"] if item["standing"] == "defaulted")


def at_risk(figures: Figures, over_days: int) -> PortfolioAtRisk:
    """Portfolio at risk over one number of days."""
    return next(item for item in figures["portfolio_at_risk"] if item["over_days"] == over_days)


def _non_performing(found: _Sorted, currency: str) -> NonPerforming:
    charged_off = found.standings["charged_off"].principal_minor
    numerator = found.standings["defaulted"].principal_minor + charged_off
    denominator = found.active.principal_minor + charged_off
    return NonPerforming(
        ratio=ratio(numerator, denominator),
        numerator=money(numerator, currency),
        denominator=money(denominator, currency),
    )


def _totals(found: _Sorted, currency: str) -> Totals:
    disbursed, active = found.disbursed, found.active
    return Totals(
        disbursed=money(disbursed.disbursed_minor, currency),
        disbursed_loans=disbursed.loans,
        paid=money(disbursed.paid_minor, currency),
        fully_paid_loans=found.standings["fully_paid"].loans,
        principal_outstanding=money(active.principal_minor, currency),
        total_outstanding=money(active.outstanding_minor, currency),
        active_loans=active.loans,
        overdue=money(active.overdue_minor, currency),
        overdue_loans=active.loans - found.buckets[DelinquencyBucket.CURRENT].loans,
    )


def _standing(name: StandingName, found: _Sorted, currency: str) -> Standing:
    part, whole = found.standings[name], found.disbursed
    return Standing(
        standing=name,
        loans=part.loans,
        share_of_loans=ratio(part.loans, whole.loans),
        disbursed=money(part.disbursed_minor, currency),
        share_of_disbursed=ratio(part.disbursed_minor, whole.disbursed_minor),
        principal_outstanding=money(part.principal_minor, currency),
    )


def _bucket(number: int, found: _Sorted, currency: str) -> Bucket:
    part, whole = found.buckets[number], found.active
    return Bucket(
        bucket=BUCKET_NAMES[number],
        loans=part.loans,
        share_of_loans=ratio(part.loans, whole.loans),
        principal_outstanding=money(part.principal_minor, currency),
        share_of_principal=ratio(part.principal_minor, whole.principal_minor),
        total_outstanding=money(part.outstanding_minor, currency),
        overdue=money(part.overdue_minor, currency),
    )


def _at_risk(over_days: int, lowest: int, found: _Sorted, currency: str) -> PortfolioAtRisk:
    late = found.buckets[lowest:]
    numerator, denominator = sum(part.principal_minor for part in late), found.active.principal_minor
    loans, loans_of = sum(part.loans for part in late), found.active.loans
    return PortfolioAtRisk(
        over_days=over_days,
        ratio=ratio(numerator, denominator),
        numerator=money(numerator, currency),
        denominator=money(denominator, currency),
        ratio_by_count=ratio(loans, loans_of),
        loans=loans,
        loans_of=loans_of,
    )
