"""When a loan changes by itself: the days on which its figures must be made again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loanbook.domain import events as facts
from loanbook.domain.loan import DelinquencyBucket
from loanbook.domain.settings import ProductSettings
from tests.builders import Story, on_day


def boundaries(story: Story, until: int) -> list[int]:
    """The days a sweep would visit this loan on."""
    found = []
    day = 0
    while (boundary := story.at(day).next_boundary_on) is not None:
        day = (boundary - on_day(0)).days
        if day > until:
            break
        found.append(day)
    return found


def test_an_unpaid_loan_is_visited_at_its_dues_its_edges_and_its_decisions() -> None:
    story = Story().lent((100,))
    # Due on 30, past due from 31, a short loan's default known on 38, missed from 61 and over 30 days,
    # over 60 and 90 days, and out of the twelve months of conduct.
    assert boundaries(story, 500) == [30, 31, 38, 61, 91, 121, 395]


def test_a_punctual_loan_is_visited_at_its_dues_only() -> None:
    story = Story().lent((100, 100))
    story.paid(30, 100)
    story.paid(60, 100)
    assert boundaries(story, 500) == [30, 31, 60, 61]


def test_a_closed_loan_is_left_alone_after_its_last_due_day() -> None:
    story = Story().lent((100,))
    story.paid(5, 100)
    assert story.at(31).next_boundary_on is None


def test_grace_and_pauses_move_the_edges_of_the_class() -> None:
    story = Story(settings=ProductSettings(grace_days=3)).lent((100,))
    story.tell(facts.DelinquencyPaused, 40, end_on=on_day(50))
    assert story.at(73).bucket is DelinquencyBucket.DPD_1_30
    assert story.at(74).bucket is DelinquencyBucket.DPD_31_60
    assert 74 in boundaries(story, 500)


@pytest.mark.parametrize("day", [0, 29, 30, 31, 45, 61, 91, 120, 200])
def test_the_boundary_is_always_ahead(day: int) -> None:
    loan = Story().lent((100, 100)).at(day)
    assert loan.next_boundary_on is None or loan.next_boundary_on >= loan.as_of + timedelta(days=1)


def test_a_pause_told_twice_stops_the_count_once() -> None:
    story = Story().lent((100,))
    story.tell(facts.DelinquencyPaused, 40, end_on=on_day(60))
    story.tell(facts.DelinquencyPaused, 50, end_on=on_day(70))
    assert story.at(75).delinquent_days == 45 - 30


def test_the_worst_days_past_due_are_those_at_the_close_of_a_day() -> None:
    story = Story().lent((100, 100))
    story.paid(45, 100)
    assert story.at(44).max_dpd == 14
    assert story.at(45).max_dpd == 14
    assert story.at(59).max_dpd == 14
    assert story.at(75).max_dpd == 15


def test_conduct_counts_decided_installments_only() -> None:
    story = Story().lent((100, 100, 100, 100))
    story.paid(30, 100)
    story.paid(65, 100)
    loan = story.at(100)
    assert (loan.decided, loan.on_time_streak, loan.days_late_sum) == (2, 0, 5)
    assert (loan.recent_days_late, loan.missed_12m) == ((0, 5), 0)
    later = story.at(121)
    assert (later.decided, later.missed_12m, later.recent_days_late) == (3, 1, (0, 5, 31))
