"""The very rows that a run of the workers has left, cut into batches and packed for COPY."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from loanbook.topics import SLICES
from tests.bench.session import Filled

BATCH_EVENTS = 10_000
# Tables by what a batch does to them.
INSERTED = ("event", "loan_day")
REPLACED = ("loan_state", "loan_plan")  # the row of a loan
ADDED = ("book_now", "cash_day", "cash_minute")  # cells that differences are added to
QUEUED = ("outbox",)
_DIMENSIONS = {"slice", "book_key", "currency_key", "branch_key", "product_key", "bucket"}
_LEAST_SHARE = 0.005  # tables with fewer writes an event are left out
_NOTICE_BYTES = 21  # of one loan key in a notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of schema core."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The rows of one transaction, as COPY's binary form, by table."""

    rows: dict[str, bytes]
    positions: list[tuple[int, int]]
    notices: list[bytes]


async def writes_an_event(connection: asyncpg.Connection, events: int) -> dict[str, dict[str, float]]:
    """Rows inserted, updated and deleted for an event since the database was made, by table."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    rows = await connection.fetch(
        "SELECT coalesce(p.relname, c.relname) AS name, sum(s.n_tup_ins) AS ins, sum(s.n_tup_upd) AS upd,"
        " sum(s.n_tup_hot_upd) AS hot, sum(s.n_tup_del) AS del"
        " FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
        " LEFT JOIN pg_inherits i ON i.inhrelid = s.relid LEFT JOIN pg_class p ON p.oid = i.inhparent"
        " WHERE s.schemaname = 'core' GROUP BY 1"
    )
    return {
        row["name"]: {kind: round(float(row[kind]) / events, 4) for kind in ("ins", "upd", "hot", "del")}
        for row in rows
        if row["ins"] + row["upd"] + row["del"]
    }


def covered(writes: dict[str, dict[str, float]]) -> list[str]:
    """The tables that a replay writes: those known here that the workers do write."""
    known = (*INSERTED, *REPLACED, *ADDED, *QUEUED)
    return [n for n in known if n in writes and writes[n]["ins"] + writes[n]["upd"] >= _LEAST_SHARE]


async def tables(connection: asyncpg.Connection, names: Sequence[str]) -> dict[str, Table]:
    """Columns and keys of tables."""
    rows = await connection.fetch(
        "SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns,"
        " array_agg(a.attname::text) FILTER (WHERE a.attnum = ANY (i.indkey)) AS key"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " JOIN pg_class k ON k.relnamespace = c.relnamespace"
        " AND k.relname IN (c.relname, c.relname || '_merged')"
        " JOIN pg_index i ON i.indrelid = k.oid AND i.indisprimary"
        " WHERE c.relnamespace = 'core'::regnamespace AND c.relname = ANY ($1) GROUP BY 1",
        list(names),
    )
    return {r["name"]: Table(name=r["name"], columns=tuple(r["columns"]), key=tuple(r["key"])) for r in rows}


async def ready_made(
    connection: asyncpg.Connection, filled: Filled, wanted: dict[str, Table], lanes: int
) -> list[list[Batch]]:
    """The batches of each lane; a lane has its share of the partitions."""
    step = BATCH_EVENTS // (SLICES // lanes)
    await _number_rows(connection, filled, step, lanes)
    made: list[list[Batch]] = []
    for lane in range(lanes):
        numbers = await connection.fetch("SELECT DISTINCT batch FROM ready WHERE lane = $1 ORDER BY 1", lane)
        made.append([await _batch(connection, wanted, lane, row["batch"]) for row in numbers])
    return made


async def _number_rows(connection: asyncpg.Connection, filled: Filled, step: int, lanes: int) -> None:
    await connection.execute("DROP TABLE IF EXISTS ready")
    firsts = ",".join(map(str, filled.first))
    await connection.execute(
        f"CREATE TEMP TABLE ready AS"
        f" SELECT e.*, e.kafka_partition % {lanes} AS lane, (e.kafka_offset - b.first) / {step} AS batch,"
        f" row_number() OVER (PARTITION BY e.slice, e.loan_key ORDER BY e.kafka_offset) = 1 AS is_first"
        f" FROM core.event e JOIN unnest('{{{firsts}}}'::bigint[]) WITH ORDINALITY AS b (first, number)"
        f" ON b.number = e.kafka_partition + 1"
        f" WHERE e.kafka_offset >= b.first AND e.known_on = (SELECT max(business_on) FROM core.book)"
    )
    await connection.execute("CREATE INDEX ON ready (lane, batch)")
    await connection.execute("ANALYZE ready")


async def _batch(connection: asyncpg.Connection, wanted: dict[str, Table], lane: int, number: int) -> Batch:
    await connection.execute("DROP TABLE IF EXISTS changed")
    await connection.execute(
        "CREATE TEMP TABLE changed AS SELECT slice, loan_key, bool_or(is_first) AS is_first"
        f" FROM ready WHERE lane = {lane} AND batch = {number} GROUP BY 1, 2"
    )
    await connection.execute("ANALYZE changed")
    rows = {}
    for table in wanted.values():
        if table.name not in QUEUED:
            rows[table.name] = await _packed(connection, _rows_of(table, lane, number))
    ends = await connection.fetch(
        "SELECT kafka_partition, max(kafka_offset) + 1 FROM ready WHERE lane = $1 AND batch = $2 GROUP BY 1",
        lane,
        number,
    )
    loans = await connection.fetch("SELECT count(*) FROM changed GROUP BY slice")
    notices = [b"x" * (_NOTICE_BYTES * row["count"]) for row in loans]
    return Batch(rows=rows, positions=[tuple(row) for row in ends], notices=notices)


def _rows_of(table: Table, lane: int, number: int) -> str:
    columns = ", ".join(f"t.{column}" for column in table.columns)
    if table.name == "event":
        return (
            f"SELECT {columns} FROM ready t WHERE lane = {lane} AND batch = {number} ORDER BY slice, loan_key"
        )
    if table.name == "loan_day":
        return (
            f"SELECT DISTINCT ON (t.slice, t.loan_key) {columns} FROM core.loan_day t"
            " JOIN changed c USING (slice, loan_key) WHERE c.is_first"
            " ORDER BY t.slice, t.loan_key, t.on_date DESC"
        )
    if table.name in REPLACED:
        return (
            f"SELECT {columns} FROM core.{table.name} t JOIN changed c USING (slice, loan_key)"
            " ORDER BY t.slice, t.loan_key"
        )
    dims = [
        c
        for c in table.key
        if c in {"slice", "book_key", "currency_key", "branch_key", "product_key", "bucket"}
    ]
    same = " AND ".join(f"t.{column} = s.{column}" for column in dims)
    columns = columns.replace("t.slice", "(t.slice & 15 | 16)::smallint")  # as what is not merged
    return (
        f"SELECT DISTINCT ON ({', '.join(f't.{c}' for c in dims)}) {columns} FROM core.{table.name} t"
        f" WHERE EXISTS (SELECT FROM core.loan_state s JOIN changed c USING (slice, loan_key) WHERE {same})"
        f" ORDER BY {', '.join(f't.{c} DESC' for c in table.key if c in dims)},"
        f" {', '.join(f't.{c} DESC' for c in table.key if c not in dims)}"
    )


async def _packed(connection: asyncpg.Connection, query: str) -> bytes:
    parts: list[bytes] = []

    async def keep(part: bytes) -> None:
        parts.append(bytes(part))

    await connection.copy_from_query(query, output=keep, format="binary")
    return b"".join(parts)
