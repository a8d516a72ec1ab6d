"""What tests of several workers share: one database that each of them empties first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from loanbook.postgres.pool import connect
from tests.integration.ingest.lanes import LANES, Workshop, open_lanes
from tests.parts import Database, fresh_database


@pytest.fixture(scope="module")
async def workshop(postgres: Database, database_template: str) -> AsyncIterator[Workshop]:
    """Two workers, and one database for all examples: a copy for each would take longer than the example."""
    async with fresh_database(postgres, database_template) as dsn:
        admin, lanes = await connect(dsn), await open_lanes(dsn, LANES)
        yield Workshop(dsn, admin, lanes)
        await admin.close()
        for lane in lanes:
            await lane.store.close()
