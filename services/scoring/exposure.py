"""What a loan may cost and what to do about it: exposure, expected loss, stage and strategy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.features import FloatArray, IntArray, LoanBatch, days_between, days_past_due
from scoring.model import ScoreBatch
from scoring.texts import Texts
from scoring.thresholds import (
    LEGAL_OVER_DAYS,
    LEGAL_OVER_PROBABILITY,
    RESTRUCTURE_WATCH_DAYS,
    SETTLE_FROM_PROBABILITY,
    STAGE_2_OVER_DAYS,
    STAGE_3_FROM_DAYS,
    Strategy,
)

_NONE, _REMIND, _SETTLE, _HELD_BACK, _LEGAL = range(5)
_STRATEGIES = tuple(Strategy)
_ADVISED = tuple(_STRATEGIES[place] for place in (0, 1, 2, 2, 3))
_WHY = (
    "nothing is past due",
    f"past due, probability under {SETTLE_FROM_PROBABILITY}",
    f"past due, probability {SETTLE_FROM_PROBABILITY} to {LEGAL_OVER_PROBABILITY}",
    f"probability over {LEGAL_OVER_PROBABILITY}; legal steps wait for {LEGAL_OVER_DAYS} days past due",
    f"probability over {LEGAL_OVER_PROBABILITY}, over {LEGAL_OVER_DAYS} days past due: a person approves",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossBatch:
    """Exposure and consequences of a batch of loans, in its order; amounts in minor units."""

    exposure: IntArray
    expected_loss: IntArray  # an estimate
    stage: IntArray  # IFRS 9
    strategy: Texts
    strategy_reason: Texts


def losses_of(loans: LoanBatch, scores: ScoreBatch, loss_given_default: float) -> LossBatch:
    """Expected loss = probability x loss given default x exposure, and what follows from lateness."""
    exposure = loans.principal_outstanding + np.maximum(loans.overdue - loans.overdue_principal, 0)
    advised = _advised(days_past_due(loans), scores.default_probability)
    return LossBatch(
        exposure=exposure,
        expected_loss=np.rint(scores.default_probability * loss_given_default * exposure).astype(np.int64),
        stage=_stage(loans),
        strategy=Texts(_ADVISED, advised),
        strategy_reason=Texts(_WHY, advised),
    )


def _stage(loans: LoanBatch) -> IntArray:
    past_due = days_past_due(loans)
    watched = days_between(loans.as_of, loans.restructured_on) <= RESTRUCTURE_WATCH_DAYS
    raised = (past_due > STAGE_2_OVER_DAYS) | watched
    return np.where((past_due >= STAGE_3_FROM_DAYS) | loans.charged_off, 3, np.where(raised, 2, 1))


def _advised(past_due: FloatArray, probability: FloatArray) -> IntArray:
    legal = np.where(past_due > LEGAL_OVER_DAYS, _LEGAL, _HELD_BACK)
    severe = np.where(probability > LEGAL_OVER_PROBABILITY, legal, _SETTLE)
    advised = np.where(probability >= SETTLE_FROM_PROBABILITY, severe, _REMIND)
    return np.where(past_due >= 1, advised, _NONE)
