"""A made-up book day by day: what its core banking would publish, without an end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from loanbook import wire
from loanbook.domain.events import BranchUpdated
from loanbook.synthetic.loans import (
    Happening,
    MadeLoan,
    borrower_id,
    fact_of,
    happenings_of,
    make_loan,
    opening_facts,
    profile_of,
    recorded_at,
)
from loanbook.synthetic.settings import BRANCHES, SyntheticSettings
from loanbook.topics import BOOK_REFERENCE, BORROWER_PROFILES, LOAN_EVENTS, reference_key

_WEEKDAY_WEIGHTS = (1.1, 1.0, 1.0, 1.0, 1.0, 0.3, 0.0)
_GROWTH_FROM, _GROWTH_TO = 0.8, 1.2  # of new loans a day, over the history
_OPENS_S, _OPEN_S = 8 * 3600, 10 * 3600  # loans are made in office hours


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticEvent:
    """An encoded event and where it goes."""

    topic: str
    key: bytes
    value: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticDay:
    """The events that are booked on a business day, in the order of their recording."""

    on: date
    is_history: bool
    events: list[SyntheticEvent]


class SyntheticBook:
    """The whole book follows from its settings; days can be skipped but never differ."""

    def __init__(self, settings: SyntheticSettings) -> None:
        self.settings = settings
        history = (settings.live_from - settings.starts_on).days
        weights = [self._weight(settings.starts_on + timedelta(days=number)) for number in range(history)]
        self._loans_a_weight = settings.loans / sum(weights)

    def reference_events(self) -> list[SyntheticEvent]:
        """The branches with their names and places."""
        at = recorded_at(self.settings.starts_on, 0)
        return [
            self._event(
                BranchUpdated(
                    branch=branch.branch,
                    name=branch.name,
                    region=branch.region,
                    manager=branch.manager,
                    latitude=branch.latitude,
                    longitude=branch.longitude,
                ),
                branch.branch,
                f"branch/{branch.branch}",
                at,
                BOOK_REFERENCE,
            )
            for branch in BRANCHES
        ]

    def days(self, from_on: date | None = None) -> Iterator[SyntheticDay]:
        """Business days in order and without an end; those before `from_on` are lived but not given."""
        settings = self.settings
        waiting: dict[date, list[Happening]] = defaultdict(list)
        loans = 0
        weight = 0.0
        on = settings.starts_on
        while True:
            weight += self._weight(on)
            until = round(weight * self._loans_a_weight)
            made = [self._make(number, on, waiting) for number in range(loans, until)]
            loans = until
            booked = waiting.pop(on, [])
            if from_on is None or on >= from_on:
                events = [event for loan in made for event in self._opening(loan)]
                events += [self._booked(happening) for happening in booked]
                events.sort(key=lambda event: event.recorded_at)
                yield SyntheticDay(on=on, is_history=on < settings.live_from, events=events)
            on += timedelta(days=1)

    def _weight(self, on: date) -> float:
        settings = self.settings
        whole = (settings.live_from - settings.starts_on).days
        gone = min(1.0, (on - settings.starts_on).days / whole)
        return _WEEKDAY_WEIGHTS[on.weekday()] * (_GROWTH_FROM + (_GROWTH_TO - _GROWTH_FROM) * gone)

    def _make(self, number: int, on: date, waiting: dict[date, list[Happening]]) -> MadeLoan:
        chance = Random(f"{self.settings.seed}/loan/{number}")  # noqa: S311 - made-up data
        loan = make_loan(self.settings, number, on, chance)
        for happening in happenings_of(loan, chance):
            # A loan is made before it is paid: what falls on its first day is booked on the next.
            booked_on = max(happening.booked_on, on + timedelta(days=1))
            waiting[booked_on].append(happening._replace(booked_on=booked_on))
        return loan

    def _opening(self, loan: MadeLoan) -> Iterator[SyntheticEvent]:
        settings = self.settings
        second = _OPENS_S + loan.number * 7919 % _OPEN_S
        at = recorded_at(loan.created_on, second)
        if loan.borrower == loan.number:
            profile = profile_of(settings, loan.borrower, loan.branch.region)
            name = borrower_id(loan.borrower)
            yield self._event(profile, name, f"{name}-profile", at, BORROWER_PROFILES)
        for step, (suffix, fact) in enumerate(opening_facts(settings, loan)):
            later = at + timedelta(seconds=step)
            yield self._event(fact, loan.loan_id, f"{loan.loan_id}-{suffix}", later, LOAN_EVENTS)

    def _booked(self, happening: Happening) -> SyntheticEvent:
        at = recorded_at(happening.booked_on, happening.second)
        fact = fact_of(happening, self.settings.currency)
        return self._event(fact, f"L{happening.loan:07d}", happening.event_id, at, LOAN_EVENTS)

    def _event(
        self, data: wire.Data, subject: str, event_id: str, at: datetime, topic: str
    ) -> SyntheticEvent:
        settings = self.settings
        value = wire.encode(
            data,
            book=settings.book,
            subject=subject,
            source=settings.source,
            event_id=event_id,
            recorded_at=at,
        )
        key = subject.encode() if topic == LOAN_EVENTS else reference_key(settings.book, subject)
        return SyntheticEvent(topic=topic, key=key, value=value, recorded_at=at)
