"""The audit of the tests: ledger = folds = states = histories = roll-ups, or the differences by name."""

from __future__ import annotations

from ingest.commands.verify import verify
from ingest.recompute.check import Extent
from ingest.store import ROLE
from loanbook.postgres.pool import connect


async def differences(dsn: str) -> list[str]:
    """Every place where the tables differ from the ledger as both folds tell it; empty when all is right."""
    connection = await connect(dsn, ROLE)
    try:
        found = await verify(connection, None, Extent(sample=None))
        return [str(difference) for findings in found for difference in findings.kept]
    finally:
        await connection.close()
