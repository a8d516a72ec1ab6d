"""A worker forgets its folded loans with every new connection: it may reach a restored database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import asyncpg
import pytest

from ingest.records import LoanRef
from ingest.transaction import PostgresUnit
from loanbook.domain.events import BranchMoved, LoanCreated, LoanEvent
from loanbook.postgres.fates import RETRYABLE
from tests.audit import differences
from tests.builders import DAY_0, on_day
from tests.feeding import Feed, encoded, opened_feed

pytestmark = pytest.mark.integration


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    """A worker's flow that forgets its loans as the worker does."""
    async with opened_feed(database, DAY_0) as feed:
        feed.store.forgetting.append(feed.cache.clear)
        yield feed


async def test_folded_loans_are_forgotten_when_connections_were_lost(feed: Feed, database: str) -> None:
    opened = LoanCreated(effective_on=on_day(0), business_on=on_day(0), currency="EUR")
    await feed.send([encoded("L-1", opened)])
    connection = await asyncpg.connect(database)
    row = await connection.fetchrow("SELECT slice, loan_key, version FROM core.loan_state")
    ref = LoanRef(row["slice"], row["loan_key"])
    assert feed.cache.find({ref: row["version"]})
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    with suppress(*RETRYABLE):  # raised unless the pool has seen already that its connections are gone
        await feed.send([encoded("L-2", opened)])
    await feed.send([])
    assert not feed.cache.find({ref: row["version"]})


async def test_what_is_forgotten_during_a_batch_does_not_stop_it(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = LoanCreated(effective_on=on_day(0), business_on=on_day(0), currency="EUR", branch="A")
    moved = BranchMoved(effective_on=on_day(0), business_on=on_day(0), branch="B")
    read = PostgresUnit.histories

    async def read_and_forget(unit: PostgresUnit, refs: Iterable[LoanRef]) -> dict[LoanRef, list[LoanEvent]]:
        feed.cache.clear()
        return await read(unit, refs)

    await feed.send([encoded("L-2", opened)])
    feed.cache.clear()
    await feed.send([encoded("L-1", opened)])
    monkeypatch.setattr(PostgresUnit, "histories", read_and_forget)
    outcome = await feed.send([encoded("L-1", moved), encoded("L-2", moved)])
    assert outcome.applied == 2
    assert await differences(database) == []
