"""A lane outlasts a database that is away, finds the one loan that does not fit, and stops on the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from scoring.backlog import Backlog
from scoring.flow import Policy
from scoring.lane import Lane
from scoring.model import RulesScorer
from scoring.reading import states_from_rows
from scoring.records import States
from scoring.terms import TermsCache


class FakeScoreStore:
    """Knows no loans; fails as it is told to."""

    def __init__(self, *, failures: Sequence[Exception] = (), poison: int | None = None) -> None:
        self.failures = list(failures)
        self.poison = poison
        self.asked: list[int] = []
        self.opened: Mapping[int, int] = {}

    @asynccontextmanager
    async def transaction(self, loans: Mapping[int, int]) -> AsyncIterator[Any]:
        if self.failures:
            raise self.failures.pop(0)
        self.opened = loans
        yield self

    async def select_states(self) -> States:
        if self.poison in self.opened:
            raise asyncpg.DataError("out of range")
        self.asked.extend(self.opened)
        states, _ = states_from_rows([], TermsCache(1))
        return states


def a_lane(store: FakeScoreStore) -> Lane:
    return Lane(
        store=store,
        policy=Policy(scorer=RulesScorer(), loss_given_default=0.45),
        backlog=Backlog(),
        batch_loans=100,
        retry_wait_max=timedelta(milliseconds=1),
        clock=lambda: datetime.now(UTC),
        scored=lambda _outcome: None,
    )


async def test_loans_are_scored_when_the_database_is_back() -> None:
    away = [ConnectionRefusedError(), asyncpg.DeadlockDetectedError("a"), asyncpg.AdminShutdownError("b")]
    store = FakeScoreStore(failures=away)
    lane = a_lane(store)
    await lane.apply({5: 1, 6: 2})
    assert store.asked == [5, 6]
    assert lane.waiting_reason is None


async def test_one_loan_that_does_not_fit_leaves_the_others_scored() -> None:
    store = FakeScoreStore(poison=13)
    await a_lane(store).apply(dict.fromkeys(range(20), 1))
    assert sorted(store.asked) == [key for key in range(20) if key != 13]


async def test_a_schema_that_does_not_fit_stops_the_worker() -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await a_lane(FakeScoreStore(failures=[asyncpg.UndefinedColumnError("no column")])).apply({1: 1})
