"""Rows that go through a temporary stage: copied into it, read by one statement, and taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loanbook.postgres.pool import Connection

_FEW = 200


async def through_stage(
    connection: Connection, stage: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], sql: str
) -> list[Any]:
    """Run a statement that reads these rows from a stage; gives what it returns, leaves the stage empty."""
    await connection.copy_records_to_table(stage, records=rows, columns=columns)
    found: list[Any] = await connection.fetch(sql)
    # Deleted rows leave traces that each later statement steps over, which is far cheaper than a new file.
    await connection.execute(f"DELETE FROM {stage}" if len(rows) <= _FEW else f"TRUNCATE {stage}")  # noqa: S608
    return found
