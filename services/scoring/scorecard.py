"""Expert points of the basis `rules`: what a new installation scores with on its first day.

One point is a tenth of a doubling of the odds, so that points add up to the risk score exactly. No
figure here was fitted: the probabilities are assumptions, and every reader of a score is told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MODEL = "rules-001"  # rises with every change of this file; compared as text
BASIS = "rules"
AVERAGE_SCORE = 50  # the risk score at the book's average odds
POINTS_A_DOUBLING = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Points of one feature: from each lower bound on, `points`; below the first bound and unknown, 0."""

    bounds: tuple[float, ...]
    points: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What differs between long and short loans: the label, the assumed odds, the points of lateness."""

    label: str
    bad_over_days: int  # past it the loan is bad by rule and not scored
    book_probability: float  # assumed average of a book at release
    reference_points: int  # of a current loan without history, against the book's average
    days_past_due: Bins


LONG = Segment(
    label="more than 60 days past due, charged off, or restructured in arrears within 90 days",
    bad_over_days=60,
    book_probability=0.05,
    reference_points=-14,
    days_past_due=Bins(bounds=(1, 4, 8, 16, 31, 46), points=(12, 20, 28, 37, 44, 54)),
)
SHORT = Segment(
    label="more than 15 days past due within 30 days",
    bad_over_days=15,
    book_probability=0.15,
    reference_points=-7,
    days_past_due=Bins(bounds=(1, 4, 8), points=(23, 32, 44)),
)

# Monotone by construction: more of a bad sign never lowers the score.
BINS: dict[str, Bins] = {
    "max_days_past_due": Bins(bounds=(61, 91), points=(4, 8)),
    "mean_days_late": Bins(bounds=(1, 4, 8, 16, 31), points=(3, 7, 12, 17, 23)),
    "on_time_streak": Bins(bounds=(3, 6, 12), points=(-3, -6, -8)),
    # Whoever pays monthly is silent for two intervals when 30 days late: only the rest says something.
    "silence": Bins(bounds=(0.0, 0.5, 3.1), points=(-4, 0, 6)),
    "overdue_installments": Bins(bounds=(1.05, 2.05), points=(6, 12)),
    "share_repaid": Bins(bounds=(0.25, 0.5, 0.75), points=(-2, -4, -7)),
    "returned_payments": Bins(bounds=(1, 2), points=(8, 14)),
    "restructured": Bins(bounds=(1,), points=(16,)),
    "first_payment_missed": Bins(bounds=(1,), points=(14,)),
}

# What the points above give a loan without other signs, by days past due: assumed, not measured.
# From the 31st day on a monthly loan owes two installments, which the figures include.
ASSUMED_PRIORS: dict[str, dict[int, float]] = {
    "long": {0: 0.02, 1: 0.044, 4: 0.074, 8: 0.122, 16: 0.206, 31: 0.390, 46: 0.561},
    "short": {0: 0.098, 1: 0.349, 4: 0.500, 8: 0.696},
}


def assumptions() -> dict[str, Any]:
    """What the model assumes, for whoever reads its scores."""
    segments = {"long": LONG, "short": SHORT}
    return {
        name: {
            "assumed": True,
            "label": segment.label,
            "bad_over_days": segment.bad_over_days,
            "book_probability": segment.book_probability,
            "prior_by_days_past_due": {str(days): prior for days, prior in ASSUMED_PRIORS[name].items()},
        }
        for name, segment in segments.items()
    }
