"""Events are cut into business days, on purpose untidy, and the same way for the same seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from ingest.commands.books import BookError
from ingest.commands.demo_feeds import Wanted, settings_of
from ingest.commands.import_rows import ImportEvent
from ingest.commands.replaying import ReplayDay, every_day, replay
from loanbook.synthetic.settings import SyntheticSettings

FIRST = date(2026, 1, 1)
AT = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = [
    ImportEvent(on=FIRST + timedelta(days=n // 10), recorded_at=AT, topic="t", key=b"k", value=b"%d" % n)
    for n in range(1_000)
]
DAYS = every_day(EVENTS)


def values_of(days: list[ReplayDay]) -> list[tuple[date | None, list[bytes]]]:
    return [(day.closes_on, [event.value for event in day.events]) for day in days]


def test_a_tidy_replay_gives_each_event_once_on_its_day() -> None:
    days = list(replay(EVENTS, close_days=DAYS, duplicate_every=0, late_share=0))
    assert [day.closes_on for day in days] == DAYS
    assert [event for day in days for event in day.events] == EVENTS
    assert all(event.on == day.closes_on for day in days for event in day.events)


def test_between_two_closings_lie_all_the_days_between() -> None:
    ends = [FIRST + timedelta(days=9), FIRST + timedelta(days=19)]
    days = list(replay(EVENTS, close_days=ends, duplicate_every=0, late_share=0))
    assert [(day.closes_on, len(day.events)) for day in days] == [(ends[0], 100), (ends[1], 100), (None, 800)]


def test_every_tenth_comes_twice_and_none_is_lost() -> None:
    days = list(replay(EVENTS, close_days=DAYS, duplicate_every=10, late_share=0.05, seed=3))
    seen = Counter(event.value for day in days for event in day.events)
    assert len(seen) == 1_000
    assert sum(count - 1 for count in seen.values()) == 100


def test_late_events_come_days_after_their_own_and_never_before() -> None:
    days = list(replay(EVENTS, close_days=DAYS, duplicate_every=0, late_share=0.05, seed=3))
    delays = [((day.closes_on or date.max) - event.on).days for day in days for event in day.events]
    assert min(delays) == 0
    assert 20 < sum(delay > 0 for delay in delays) < 90


def test_shuffling_stays_between_the_closings() -> None:
    ends = [FIRST + timedelta(days=49), DAYS[-1]]
    days = list(replay(EVENTS, close_days=ends, duplicate_every=0, late_share=0, shuffle=True))
    assert days[0].events != EVENTS[:500]
    assert {event.value for event in days[0].events} == {event.value for event in EVENTS[:500]}


def test_the_same_seed_is_untidy_in_the_same_way() -> None:
    first = values_of(list(replay(EVENTS, close_days=DAYS, shuffle=True, seed=1)))
    assert first == values_of(list(replay(EVENTS, close_days=DAYS, shuffle=True, seed=1)))
    assert first != values_of(list(replay(EVENTS, close_days=DAYS, shuffle=True, seed=2)))


def test_nothing_gives_no_days() -> None:
    assert every_day([]) == []
    assert list(replay([], close_days=[])) == []


TODAY = date(2026, 11, 21)
SOURCE = SyntheticSettings(starts_on=FIRST, seed=3, loans=500, months=6).source


def test_a_new_made_up_book_has_its_history_up_to_today() -> None:
    settings = settings_of(Wanted(), None, [], TODAY)
    assert (settings.starts_on, settings.live_from) == (date(2025, 5, 21), TODAY)
    assert (settings.loans, settings.months) == (10_000, 18)


def test_a_made_up_book_goes_on_as_it_was_made() -> None:
    settings = settings_of(Wanted(), FIRST, [SOURCE], TODAY)
    assert (settings.starts_on, settings.seed, settings.loans, settings.months) == (FIRST, 3, 500, 6)
    assert settings.source == SOURCE


def test_a_made_up_book_is_not_mixed_with_another() -> None:
    with pytest.raises(BookError, match="made with --loans 500, not 10"):
        settings_of(Wanted(loans=10), FIRST, [SOURCE], TODAY)
    assert settings_of(Wanted(seed=3, loans=500), FIRST, [SOURCE], TODAY).seed == 3
