"""Default probability, risk score and band of a whole batch of loans, with the points that made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scoring import scorecard
from scoring.features import (
    FEATURES,
    BoolArray,
    FloatArray,
    IntArray,
    LoanBatch,
    days_past_due,
    is_short_term,
)
from scoring.scorecard import LONG, SHORT, Bins, Segment
from scoring.thresholds import BAND_SCORE_MIN

PointArray = npt.NDArray[np.int16]
_BAND_EDGES = tuple(BAND_SCORE_MIN.values())[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBatch:
    """The scores of a batch of loans, in its order."""

    model: str
    by_rule: BoolArray  # already bad: a fact, not a forecast
    default_probability: FloatArray
    risk_score: IntArray  # 0 to 100, high is bad
    band: IntArray
    points: PointArray  # exact contributions to the score against the reference loan, a column a feature


class Scorer(Protocol):
    """A model: scores loans by their features."""

    @property
    def name(self) -> str:
        """Name and version; compared as text, a newer one is greater."""

    @property
    def basis(self) -> str:
        """Which step of the ladder it stands on."""

    def score(self, loans: LoanBatch, features: FloatArray) -> ScoreBatch:
        """Score every loan of the batch."""


class RulesScorer:
    """Adds up expert points; the odds double with every ten of them."""

    name = scorecard.MODEL
    basis = scorecard.BASIS

    def score(self, loans: LoanBatch, features: FloatArray) -> ScoreBatch:
        """Score every loan of the batch."""
        short = is_short_term(loans)
        points = _points(features, short)
        reference = np.where(short, SHORT.reference_points, LONG.reference_points)
        relative = points.sum(axis=1, dtype=np.int64) + reference
        odds = _book_odds(short) * 2.0 ** (relative / scorecard.POINTS_A_DOUBLING)
        by_rule = is_bad(loans)
        points[by_rule] = 0
        risk_score = np.where(by_rule, 100, np.clip(relative + scorecard.AVERAGE_SCORE, 0, 100))
        return ScoreBatch(
            model=self.name,
            by_rule=by_rule,
            default_probability=np.where(by_rule, 1.0, odds / (1.0 + odds)),
            risk_score=risk_score,
            band=np.searchsorted(_BAND_EDGES, risk_score, side="right"),
            points=points,
        )


def is_bad(loans: LoanBatch) -> BoolArray:
    """Whether a loan already is what the score forecasts: past the label's days, or charged off."""
    over = np.where(is_short_term(loans), SHORT.bad_over_days, LONG.bad_over_days)
    return (days_past_due(loans) > over) | loans.charged_off


def _points(features: FloatArray, short: BoolArray) -> PointArray:
    columns = [
        np.where(short, _binned(values, SHORT.days_past_due), _binned(values, LONG.days_past_due))
        if name == "days_past_due"
        else _binned(values, scorecard.BINS[name])
        for name, values in zip(FEATURES, features.T, strict=True)
    ]
    return np.column_stack(columns).astype(np.int16)


def _binned(values: FloatArray, bins: Bins) -> IntArray:
    known = np.nan_to_num(values, nan=-np.inf)
    return np.array((0, *bins.points))[np.searchsorted(bins.bounds, known, side="right")]


def _book_odds(short: BoolArray) -> FloatArray:
    return np.where(short, _odds(SHORT), _odds(LONG))


def _odds(segment: Segment) -> float:
    return segment.book_probability / (1.0 - segment.book_probability)
