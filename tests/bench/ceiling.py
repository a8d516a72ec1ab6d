"""The sink's ceiling: the rows of a run, ready made, written by COPY and one statement a table.

What it does not do: decode, look for duplicates, read states, fold, encode. Its rate counts the events
those rows came from, the duplicates among them included, so that it compares with the stream's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import asyncpg

from tests.bench.parts import BenchError
from tests.bench.rate import streamed
from tests.bench.ready_made import (
    ADDED,
    INSERTED,
    QUEUED,
    REPLACED,
    Batch,
    Table,
    covered,
    ready_made,
    tables,
    writes_an_event,
)
from tests.bench.session import Session
from tests.bench.watching import cpu_seconds

SECTION = "ceiling"


async def measure(session: Session) -> None:
    """Have a worker make the rows, then write them again to fresh copies, on one connection and on two."""
    template, filled = await session.template(), await session.filled()
    dsn = await session.parts.copy_database(template, filled.first)
    await streamed(session, dsn, filled)
    connection = await asyncpg.connect(dsn)
    try:
        writes = await writes_an_event(connection, filled.events)
        wanted = await tables(connection, covered(writes))
        lanes = await ready_made(connection, filled, wanted, lanes=2)
    finally:
        await connection.close()
    session.report.details["rows written an event"] = writes
    session.report.details["not in the ceiling"] = sorted(set(writes) - set(wanted))
    one = [batch for pair in zip(*lanes, strict=False) for batch in pair]
    for name, shares in (("1 connection", [one]), ("2 connections", lanes)):
        await _take(session, template, name, shares, wanted)


async def _take(
    session: Session, template: str, name: str, shares: Sequence[Sequence[Batch]], wanted: dict[str, Table]
) -> None:
    filled = await session.filled()
    rates, cpu = [], []
    for _ in range(session.runs):
        dsn = await session.parts.copy_database(template, filled.first)
        before, started = cpu_seconds(session.parts.server.pid), time.perf_counter()
        await asyncio.gather(*(_replay(dsn, share, wanted) for share in shares))
        rates.append(filled.events / (time.perf_counter() - started))
        cpu.append((cpu_seconds(session.parts.server.pid) - before) / filled.events * 1e6)
    add = session.report.add
    add(SECTION, f"ready-made rows, {name}: CPU, postgres", "us/event", cpu)
    ceiling = add(SECTION, f"ready-made rows, {name}", "events/s", rates)
    for stream_name in ("1 worker: stream", "2 workers: stream"):
        if (stream := session.report.find("rate", stream_name)) is not None:
            add(SECTION, f"{stream_name}, of {name}", "times", [stream.median / ceiling.median])


async def _replay(dsn: str, batches: Sequence[Batch], wanted: dict[str, Table]) -> None:
    connection = await asyncpg.connect(
        dsn, server_settings={"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}
    )
    try:
        for table in wanted.values():
            if table.name != "event" and table.name not in QUEUED:
                await connection.execute(
                    f"CREATE TEMP TABLE stage_{table.name} (LIKE core.{table.name}) ON COMMIT DELETE ROWS"
                )
        for batch in batches:
            async with connection.transaction():
                await _write(connection, batch, wanted)
    finally:
        await connection.close()


async def _write(connection: asyncpg.Connection, batch: Batch, wanted: dict[str, Table]) -> None:
    await connection.fetch(
        "SELECT next_offset FROM core.stream_position WHERE partition = ANY ($1) FOR UPDATE",
        [number for number, _ in batch.positions],
    )
    for name, table in wanted.items():
        if name == "event":
            await _copy(connection, "event", "core", batch.rows[name])
        elif name in QUEUED:
            await connection.execute("DELETE FROM core.outbox")
            await connection.execute(
                "INSERT INTO core.outbox (slice, topic, partition, payload)"
                " SELECT 0, 'loan.changed.v1', 0, * FROM unnest($1::bytea[])",
                batch.notices,
            )
        elif name in ADDED:
            await _copy(connection, f"{name}_unmerged", "core", batch.rows[name])
        else:
            await _copy(connection, f"stage_{name}", None, batch.rows[name])
            await connection.execute(_statement(table))
    await connection.executemany(
        "UPDATE core.stream_position SET next_offset = $2 WHERE partition = $1", batch.positions
    )


def _statement(table: Table) -> str:
    name, columns = table.name, ", ".join(table.columns)
    rest = [column for column in table.columns if column not in table.key]
    if name in REPLACED:
        return (
            f"UPDATE core.{name} t SET {', '.join(f'{c} = s.{c}' for c in rest)} FROM stage_{name} s"
            f" WHERE {' AND '.join(f't.{c} = s.{c}' for c in table.key)}"
        )
    insert = f"INSERT INTO core.{name} AS t ({columns}) SELECT {columns} FROM stage_{name}"
    if name in INSERTED:
        return f"{insert} ON CONFLICT DO NOTHING"
    raise BenchError(f"no statement for core.{name}")


async def _copy(connection: asyncpg.Connection, table: str, schema: str | None, rows: bytes) -> None:
    await connection.copy_to_table(table, source=_once(rows), schema_name=schema, format="binary")


async def _once(rows: bytes) -> AsyncIterator[bytes]:
    yield rows
