"""The rule "days past due" opens, escalates, ends and takes back as its table says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanbook.domain.loan import LoanStatus
from scoring.alerts import Change, CloseReason, Episode, EpisodeState, Move, Situation, decide, severity_of
from scoring.thresholds import Severity

MONDAY = date(2026, 5, 11)


def a_situation(days_past_due: int = 0, *, day: int = 0, **changes: object) -> Situation:
    situation = Situation(
        loan_key=1, status=LoanStatus.ACTIVE, as_of=MONDAY + timedelta(days=day), days_past_due=days_past_due
    )
    return replace(situation, **changes)  # type: ignore[arg-type]


def an_episode(severity: Severity = Severity.WATCH, **changes: object) -> Episode:
    episode = Episode(
        episode_id=7,
        loan_key=1,
        state=EpisodeState.OPEN,
        severity=severity,
        opened_on=MONDAY - timedelta(days=30),
        announced=True,
    )
    return replace(episode, **changes)  # type: ignore[arg-type]


def closes(count: int) -> list[date]:
    return [MONDAY + timedelta(days=day) for day in range(count)]


@pytest.mark.parametrize(
    ("days", "severity"),
    [
        (0, None), (1, None), (7, None), (8, Severity.INFO), (30, Severity.INFO), (31, Severity.WATCH),
        (60, Severity.WATCH), (61, Severity.HIGH), (90, Severity.HIGH), (91, Severity.CRITICAL),
    ],
)  # fmt: skip
def test_the_levels_begin_one_day_past_their_edges(days: int, severity: Severity | None) -> None:
    assert severity_of(days) == severity


def test_no_episode_opens_up_to_seven_days() -> None:
    assert decide(a_situation(7), None, []) is None


def test_the_eighth_day_opens_one_for_the_digest_only() -> None:
    change = decide(a_situation(8), None, [])
    assert change == Change(
        move=Move.OPENED, loan_key=1, episode_id=None, state=EpisodeState.OPEN, severity=Severity.INFO
    )


def test_a_loan_that_is_not_active_opens_nothing() -> None:
    assert decide(a_situation(40, status=LoanStatus.WRITTEN_OFF), None, []) is None


def test_the_same_episode_escalates_at_each_level() -> None:
    change = decide(a_situation(61), an_episode(Severity.WATCH), [])
    assert change is not None
    assert (change.move, change.episode_id, change.severity) == (Move.ESCALATED, 7, Severity.HIGH)


def test_an_episode_keeps_its_severity_when_the_lateness_shrinks() -> None:
    assert decide(a_situation(9), an_episode(Severity.CRITICAL), []) is None


@pytest.mark.parametrize("state", [EpisodeState.ACKNOWLEDGED, EpisodeState.IN_PROGRESS])
def test_an_episode_someone_works_on_is_left_alone_until_it_escalates(state: EpisodeState) -> None:
    assert decide(a_situation(45), an_episode(state=state), []) is None


def test_an_acknowledgement_does_not_cover_the_next_level() -> None:
    acknowledged = an_episode(state=EpisodeState.ACKNOWLEDGED)
    change = decide(a_situation(61), acknowledged, [])
    assert change is not None
    assert change.state is EpisodeState.OPEN


def test_a_case_in_progress_stays_in_progress_when_it_escalates() -> None:
    change = decide(a_situation(61), an_episode(state=EpisodeState.IN_PROGRESS), [])
    assert change is not None
    assert (change.move, change.state) == (Move.ESCALATED, EpisodeState.IN_PROGRESS)


def test_the_first_day_without_arrears_starts_the_count() -> None:
    change = decide(a_situation(0), an_episode(), [])
    assert change is not None
    assert (change.move, change.leaving_since, change.state) == (Move.LEAVING, MONDAY, EpisodeState.OPEN)


@pytest.mark.parametrize(("closed", "ends"), [(0, False), (1, False), (2, False), (3, True)])
def test_an_episode_ends_after_three_closes_of_the_day_however_often_it_was_scored(
    closed: int, *, ends: bool
) -> None:
    leaving = an_episode(leaving_since=MONDAY)
    change = decide(a_situation(0, day=closed), leaving, closes(closed))
    assert (change is not None) == ends
    assert change is None or (change.move, change.close_reason) == (Move.CLOSED, CloseReason.CURED)


def test_days_on_which_the_book_did_not_close_do_not_count() -> None:
    leaving = an_episode(leaving_since=MONDAY)
    assert decide(a_situation(0, day=9), leaving, closes(2)) is None


def test_new_arrears_stop_the_count() -> None:
    change = decide(a_situation(1, day=2), an_episode(leaving_since=MONDAY), closes(2))
    assert change is not None
    assert (change.move, change.leaving_since) == (Move.LEAVING, None)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (LoanStatus.CLOSED, CloseReason.PAID),
        (LoanStatus.OVERPAID, CloseReason.PAID),
        (LoanStatus.WRITTEN_OFF, CloseReason.WRITTEN_OFF),
        (LoanStatus.CANCELLED, CloseReason.WITHDRAWN),
    ],
)
def test_the_end_of_the_loan_ends_the_episode_at_once(status: LoanStatus, reason: CloseReason) -> None:
    change = decide(a_situation(0, status=status), an_episode(), [])
    assert change is not None
    assert (change.move, change.close_reason) == (Move.CLOSED, reason)


def test_an_episode_is_withdrawn_when_its_reason_never_was() -> None:
    change = decide(a_situation(0, days_past_due_at_entry=0), an_episode(), [])
    assert change is not None
    assert (change.state, change.close_reason) == (EpisodeState.WITHDRAWN, CloseReason.WITHDRAWN)


def test_a_paid_off_loan_that_never_was_late_is_withdrawn_and_not_called_paid() -> None:
    change = decide(a_situation(0, status=LoanStatus.CLOSED, days_past_due_at_entry=2), an_episode(), [])
    assert change is not None
    assert change.close_reason is CloseReason.WITHDRAWN


def test_a_restructured_loan_ends_as_restructured_and_not_as_cured_or_withdrawn() -> None:
    situation = a_situation(0, day=3, restructured_on=MONDAY, days_past_due_at_entry=0)
    change = decide(situation, an_episode(leaving_since=MONDAY), closes(3))
    assert change is not None
    assert change.close_reason is CloseReason.RESTRUCTURED


@pytest.mark.parametrize(("days_since", "move"), [(0, Move.REOPENED), (7, Move.REOPENED), (8, Move.OPENED)])
def test_a_relapse_within_seven_days_opens_the_same_episode_again(days_since: int, move: Move) -> None:
    ended = an_episode(state=EpisodeState.RESOLVED, closed_on=MONDAY - timedelta(days=days_since))
    change = decide(a_situation(40), ended, [])
    assert change is not None
    assert change.move is move
    assert change.episode_id == (7 if move is Move.REOPENED else None)


@given(
    days=st.lists(st.integers(0, 120), min_size=1, max_size=60),
    status=st.sampled_from([LoanStatus.ACTIVE, LoanStatus.CLOSED, LoanStatus.WRITTEN_OFF]),
)
def test_whatever_happens_severity_only_rises_while_open_and_deciding_again_changes_nothing(
    days: list[int], status: LoanStatus
) -> None:
    episode: Episode | None = None
    for day, days_past_due in enumerate(days):
        last = day == len(days) - 1
        situation = a_situation(days_past_due, day=day, status=status if last else LoanStatus.ACTIVE)
        change = decide(situation, episode, closes(day))
        if change is None:
            continue
        if episode is not None and episode.is_open:
            assert change.severity >= episode.severity
        episode = after(change, situation, episode)
        again = decide(situation, episode, closes(day))
        assert again is None


def after(change: Change, situation: Situation, before: Episode | None) -> Episode:
    opened_on = situation.as_of if change.move is Move.OPENED or before is None else before.opened_on
    return Episode(
        episode_id=7,
        loan_key=1,
        state=change.state,
        severity=change.severity,
        opened_on=opened_on,
        leaving_since=change.leaving_since,
        closed_on=situation.as_of if change.move is Move.CLOSED else None,
    )
