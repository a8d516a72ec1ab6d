"""Writes the ledger: what is surely new as it is, all else through a stage that finds repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from ingest.records import Identity, LedgerRow, Remembered
from ingest.rows import EVENT_COLUMNS, event_row
from loanbook.postgres.binary_copy import copy_rows
from loanbook.postgres.ledger import TYPE_KEYS
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection


async def append_events(connection: Connection, rows: bytes) -> bool:
    """COPY events believed to be new; False, and nothing written, when one was known in some way."""
    await connection.execute("SAVEPOINT append_events")  # by hand: nothing is sent on a connection that broke
    try:
        await copy_rows(connection, "event", EVENT_COLUMNS, rows, schema="core")
    except asyncpg.UniqueViolationError:
        await connection.execute("ROLLBACK TO SAVEPOINT append_events")
        return False
    return True


async def known_of(connection: Connection, rows: Sequence[LedgerRow]) -> set[Identity]:
    """Which of these events the ledger holds."""
    return set(await _contents(connection, rows))


async def remember_events(connection: Connection, rows: Sequence[LedgerRow]) -> Remembered:
    """Write the events that are new; a further copy of a fact is kept and marked."""
    if not rows:
        return Remembered(fresh=[], duplicates=[], conflicts=[])
    first = {row.identity: row for row in reversed(rows)}
    inserted = await _insert(connection, [event_row(row) for row in first.values()])
    again = [row for row in rows if row.identity not in inserted or first[row.identity] is not row]
    known = await _contents(connection, again)
    copies = {row.identity: row for row in reversed(again) if row.identity not in known}
    await _insert(connection, [event_row(row, is_copy=True) for row in copies.values()])
    repeated = [row for row in again if copies.get(row.identity) is not row]
    contents = known | {identity: _content(row) for identity, row in copies.items()}
    conflicts = [row for row in repeated if contents[row.identity] != _content(row)]
    duplicates = [row for row in repeated if contents[row.identity] == _content(row)]
    fresh = [row for row in first.values() if row.identity in inserted] + list(copies.values())
    return Remembered(fresh=fresh, duplicates=duplicates, conflicts=conflicts)


def _content(row: LedgerRow) -> tuple[int, bytes]:
    return (TYPE_KEYS[row.event.fact.TYPE], row.data)


async def _insert(connection: Connection, rows: list[tuple[Any, ...]]) -> set[Identity]:
    if not rows:
        return set()
    await connection.copy_records_to_table("stage_event", records=rows, columns=EVENT_COLUMNS)
    inserted = await connection.fetch(load_sql("ingest", "insert_events"))
    await connection.execute("TRUNCATE stage_event")
    return {(row["loan_key"], row["event_id"], row["source_key"]) for row in inserted}


async def _contents(connection: Connection, rows: Sequence[LedgerRow]) -> dict[Identity, tuple[int, bytes]]:
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
