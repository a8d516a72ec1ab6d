"""A desk that writes loan states, and the scoring store on the same database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from scoring.flow import Outcome, Policy, score_loans
from scoring.model import RulesScorer
from scoring.store import PostgresScoreStore, Units, open_units
from tests.integration.scoring.desk import Desk, LoanRow

ScoreAll = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    connection = await asyncpg.connect(database)
    opened = Desk(connection)
    await opened.open_book()
    yield opened
    await connection.close()


@pytest.fixture
async def units(database: str) -> AsyncIterator[Units]:
    made = await open_units(database, 4)
    yield made
    await made.pool.close()


@pytest.fixture
def pool(units: Units) -> asyncpg.Pool:
    return units.pool


@pytest.fixture
def policy() -> Policy:
    return Policy(scorer=RulesScorer(), loss_given_default=0.45)


@pytest.fixture
def store(units: Units) -> PostgresScoreStore:
    return PostgresScoreStore(units, ["webhook"])


@pytest.fixture
def score(store: PostgresScoreStore, policy: Policy) -> ScoreAll:
    """Score loans."""

    async def run(*rows: LoanRow, policy: Policy = policy) -> Outcome:
        return await score_loans({row.key: row.slice for row in rows}, store, policy)

    return run
