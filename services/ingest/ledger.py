"""Writes the ledger: what is surely new as it is, all else by a statement that passes repetitions over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from ingest.records import Content, Identity, LedgerRow, Remembered
from ingest.rows import event_row
from loanbook.postgres.binary_copy import copy_rows
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection


async def append_events(connection: Connection, columns: Sequence[str], rows: bytes) -> bool:
    """COPY events believed to be new; False, and nothing written, when one was known in some way."""
    await connection.execute("SAVEPOINT append_events")  # by hand: nothing is sent on a connection that broke
    try:
        await copy_rows(connection, "event", columns, rows, schema="core")
    except asyncpg.UniqueViolationError:
        await connection.execute("ROLLBACK TO SAVEPOINT append_events")
        return False
    return True


async def remember_events(
    connection: Connection, rows: Sequence[LedgerRow], known: Mapping[Identity, Content]
) -> Remembered:
    """Write what is new, `known` is there already; a further copy of a fact is kept and marked."""
    repeated = [row for row in rows if row.identity in known]
    others = [row for row in rows if row.identity not in known]
    first = {row.identity: row for row in reversed(others)}
    inserted = await _insert(connection, [event_row(row) for row in first.values()])
    again = [row for row in others if row.identity not in inserted or first[row.identity] is not row]
    contents = {**known, **await contents_of(connection, again)}
    copies = {row.identity: row for row in reversed(again) if row.identity not in contents}
    await _insert(connection, [event_row(row, is_copy=True) for row in copies.values()])
    contents |= {identity: row.content for identity, row in copies.items()}
    repeated += [row for row in again if copies.get(row.identity) is not row]
    conflicts = [row for row in repeated if contents[row.identity] != row.content]
    duplicates = [row for row in repeated if contents[row.identity] == row.content]
    fresh = [row for row in first.values() if row.identity in inserted] + list(copies.values())
    return Remembered(fresh=fresh, duplicates=duplicates, conflicts=conflicts)


async def _insert(connection: Connection, rows: list[tuple[Any, ...]]) -> set[Identity]:
    if not rows:
        return set()
    columns = (list(column) for column in zip(*rows, strict=True))
    inserted = await connection.fetch(load_sql("ingest", "insert_events"), *columns)
    return {(row["loan_key"], row["event_id"], row["source_key"]) for row in inserted}


async def contents_of(connection: Connection, rows: Sequence[LedgerRow]) -> dict[Identity, Content]:
    """What the ledger holds of these events."""
    if not rows:
        return {}
    found = await connection.fetch(
        load_sql("ingest", "select_contents"),
        [row.ref.slice for row in rows],
        [row.ref.loan_key for row in rows],
        [row.event.event_id for row in rows],
        [row.source_key for row in rows],
    )
    return {
        (row["loan_key"], row["event_id"], row["source_key"]): (row["type_key"], row["detail"])
        for row in found
    }
