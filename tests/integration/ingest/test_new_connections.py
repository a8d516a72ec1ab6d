"""A worker forgets its folded loans with every new connection: it may reach a restored database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from ingest.records import LoanRef
from loanbook.domain.events import LoanCreated
from loanbook.postgres.fates import RETRYABLE
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
    assert feed.cache.holds(ref, row["version"])
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    with pytest.raises(RETRYABLE):
        await feed.send([encoded("L-2", opened)])
    await feed.send([])
    assert not feed.cache.holds(ref, row["version"])
