"""What travels between the decisions and the database: states read, scores, episodes and messages written."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime

import msgspec
import numpy as np

from scoring.alerts import Change, Situation
from scoring.exposure import LossBatch
from scoring.features import BoolArray, DayArray, FloatArray, LoanBatch
from scoring.model import ScoreBatch
from scoring.reasons import PreviousScores
from scoring.texts import Texts
from scoring.thresholds import HISTORY_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Loans with the scores that stand, in the same order."""

    loans: LoanBatch
    previous: PreviousScores

    def take(self, chosen: BoolArray) -> States:
        """The chosen loans."""
        if chosen.all():
            return self
        return States(loans=self.loans.take(chosen), previous=self.previous.take(chosen))


def joined(one: States, other: States) -> States:
    """The loans of both."""
    loans, previous = (
        {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(parts[0])
        }
        for parts in ((one.loans, other.loans), (one.previous, other.previous))
    )
    return States(loans=LoanBatch(**loans), previous=PreviousScores(**previous))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRows:
    """Scores to write, one entry a loan in every column."""

    loans: LoanBatch
    scores: ScoreBatch
    losses: LossBatch
    basis: Texts
    reasons: Texts  # JSON
    changes: Texts  # JSON
    contributions: Texts  # JSON
    features: FloatArray
    recorded: BoolArray  # enters the history


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanFacts:
    """A loan as messages and snapshots tell of it: no person in it."""

    loan_key: int
    loan_id: str
    book: str
    at: datetime
    currency: str
    branch: str | None
    past_due_on: date | None
    overdue_minor: int
    principal_outstanding_minor: int
    cut_off_at: datetime
    default_probability: float | None
    risk_score: int | None
    band: int | None
    model: str | None
    state_version: int | None
    reasons: msgspec.Raw  # JSON, as it is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRow:
    """A change of an episode with the loan it is about."""

    change: Change
    situation: Situation
    book_key: int
    silent: bool
    snapshot: str = "{}"  # JSON; of a new episode


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something receivers are told about an episode."""

    episode_id: int
    loan_key: int
    kind: str
    payload: str  # JSON
    due_at: datetime
    told_only: bool  # only where its beginning was told


def is_recorded(loans: LoanBatch, scores: ScoreBatch, previous: PreviousScores) -> BoolArray:
    """Whether a score enters the history: the first, another band, a step in probability, a month's end."""
    step = np.abs(scores.default_probability - previous.recorded_probability) >= HISTORY_STEP
    month_end: BoolArray = ~(previous.recorded_on >= last_month_end(loans.as_of))
    unrecorded: BoolArray = ~previous.exists | np.isnan(previous.recorded_probability)
    other_band: BoolArray = scores.band != previous.band
    return unrecorded | other_band | step | month_end


def last_month_end(days: DayArray) -> DayArray:
    """The latest month's end not after each day."""
    following: DayArray = days + np.timedelta64(1, "D")
    month: DayArray = following.astype("datetime64[M]").astype("datetime64[D]")
    last: DayArray = month + np.timedelta64(-1, "D")
    return last
