"""The rule "days past due": when an episode opens, escalates, ends or is taken back. Pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from loanbook.domain.loan import LoanStatus
from scoring.thresholds import LEAVE_AFTER_CLOSES, PAST_DUE_LEVELS, RELAPSE_WITHIN_DAYS, Severity

RULE = "days_past_due"
ENTER_OVER_DAYS = PAST_DUE_LEVELS[0][0]


class EpisodeState(StrEnum):
    """Where an episode stands; people move it to acknowledged and in progress."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class CloseReason(StrEnum):
    """Why an episode ended."""

    CURED = "cured"
    PAID = "paid"
    RESTRUCTURED = "restructured"
    WRITTEN_OFF = "written_off"
    WITHDRAWN = "withdrawn"  # its reason was reversed or backdated away


class Move(StrEnum):
    """What happens to an episode."""

    OPENED = "opened"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    CLOSED = "closed"
    LEAVING = "leaving"  # the days towards the end start or stop counting


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """The latest episode of a loan under the rule, as stored."""

    episode_id: int
    loan_key: int
    state: EpisodeState
    severity: Severity
    opened_on: date
    reopened_on: date | None = None
    leaving_since: date | None = None
    closed_on: date | None = None
    announced: bool = False  # receivers have been told, or are being told

    @property
    def is_open(self) -> bool:
        """Whether it still runs, whoever works on it."""
        return self.state not in {EpisodeState.RESOLVED, EpisodeState.WITHDRAWN}

    @property
    def entered_on(self) -> date:
        """The day on which its reason held, the latest time."""
        return self.reopened_on or self.opened_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A loan as the rule sees it, as of a business day."""

    loan_key: int
    status: LoanStatus
    as_of: date
    days_past_due: int
    restructured_on: date | None = None
    days_past_due_at_entry: int | None = None  # as restated now for the episode's entered_on; None: not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to write about one loan's episode."""

    move: Move
    loan_key: int
    episode_id: int | None  # None: a new one
    state: EpisodeState
    severity: Severity
    leaving_since: date | None = None
    close_reason: CloseReason | None = None
    announced_before: bool = False


def severity_of(days_past_due: int) -> Severity | None:
    """How loud a lateness is; None up to the first level."""
    reached = [severity for over, severity in PAST_DUE_LEVELS if days_past_due > over]
    return reached[-1] if reached else None


def may_be_withdrawn(days_past_due: int) -> bool:
    """Whether it is worth asking if an open episode should never have been."""
    return days_past_due <= ENTER_OVER_DAYS


def decide(situation: Situation, episode: Episode | None, closed_days: Sequence[date]) -> Change | None:
    """Decide what happens to a loan's episode; None: nothing.

    `episode` is the loan's latest; `closed_days` are the business days that have closed lately, so that
    leaving counts days and not scorings.
    """
    severity = severity_of(situation.days_past_due) if situation.status is LoanStatus.ACTIVE else None
    if episode is None or not episode.is_open:
        return None if severity is None else _enter(situation, severity, episode)
    if severity is None:
        return _leave(situation, episode, closed_days)
    if severity > episode.severity:
        return _escalate(episode, severity)
    return _stay(episode)


def _enter(situation: Situation, severity: Severity, ended: Episode | None) -> Change:
    relapse = (
        ended is not None
        and ended.closed_on is not None
        and situation.as_of - ended.closed_on <= timedelta(days=RELAPSE_WITHIN_DAYS)
    )
    return Change(
        move=Move.REOPENED if relapse else Move.OPENED,
        loan_key=situation.loan_key,
        episode_id=ended.episode_id if ended and relapse else None,
        state=EpisodeState.OPEN,
        severity=severity,
        announced_before=bool(ended and relapse and ended.announced),
    )


def _escalate(episode: Episode, severity: Severity) -> Change:
    # Whoever acknowledged a lower level has not seen this one; a case being worked stays where it is.
    working = episode.state is EpisodeState.IN_PROGRESS
    return Change(
        move=Move.ESCALATED,
        loan_key=episode.loan_key,
        episode_id=episode.episode_id,
        state=EpisodeState.IN_PROGRESS if working else EpisodeState.OPEN,
        severity=severity,
        announced_before=episode.announced,
    )


def _stay(episode: Episode) -> Change | None:
    return None if episode.leaving_since is None else _count_leaving(episode, since=None)


def _leave(situation: Situation, episode: Episode, closed_days: Sequence[date]) -> Change | None:
    reason = _reason_to_close(situation, episode)
    if reason is not None:
        return _close(episode, reason)
    if situation.days_past_due > 0:
        return _stay(episode)
    if episode.leaving_since is None:
        return _count_leaving(episode, since=situation.as_of)
    closes = sum(episode.leaving_since <= day < situation.as_of for day in closed_days)
    if closes < LEAVE_AFTER_CLOSES:
        return None
    restructured = _restructured_since(situation, episode)
    return _close(episode, CloseReason.RESTRUCTURED if restructured else CloseReason.CURED)


def _reason_to_close(situation: Situation, episode: Episode) -> CloseReason | None:
    """The reason to close at once, without waiting for closes of the day."""
    if situation.status in {LoanStatus.PENDING, LoanStatus.CANCELLED}:
        return CloseReason.WITHDRAWN
    restated = situation.days_past_due_at_entry
    if restated is not None and restated <= ENTER_OVER_DAYS and not _restructured_since(situation, episode):
        return CloseReason.WITHDRAWN
    if situation.status is LoanStatus.WRITTEN_OFF:
        return CloseReason.WRITTEN_OFF
    return None if situation.status is LoanStatus.ACTIVE else CloseReason.PAID


def _restructured_since(situation: Situation, episode: Episode) -> bool:
    return situation.restructured_on is not None and situation.restructured_on >= episode.opened_on


def _close(episode: Episode, reason: CloseReason) -> Change:
    withdrawn = reason is CloseReason.WITHDRAWN
    return Change(
        move=Move.CLOSED,
        loan_key=episode.loan_key,
        episode_id=episode.episode_id,
        state=EpisodeState.WITHDRAWN if withdrawn else EpisodeState.RESOLVED,
        severity=episode.severity,
        close_reason=reason,
        announced_before=episode.announced,
    )


def _count_leaving(episode: Episode, since: date | None) -> Change:
    return Change(
        move=Move.LEAVING,
        loan_key=episode.loan_key,
        episode_id=episode.episode_id,
        state=episode.state,
        severity=episode.severity,
        leaving_since=since,
        announced_before=episode.announced,
    )
