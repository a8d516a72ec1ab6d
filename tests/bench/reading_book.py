"""The database that reads are measured on: a book with ten payments a loan and a past, made by SQL alone."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import asyncpg

from tests.bench.parts import ROOT, Parts

BOOK = "bench"
_FOLDER = ROOT / "tests" / "bench"
_MIGRATIONS = ROOT / "shared" / "loanbook" / "postgres" / "migrations"
_FILES = ("reads_book.sql", "reads_ledger.sql")
_INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition,
    c.conname AS constraint_name, pg_get_constraintdef(c.oid) AS key
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
WHERE i.indrelid = 'core.event'::regclass
"""


async def prepare_reads(parts: Parts, loans: int) -> str:
    """The name of the database; made once for each state of the schema and of the files."""
    name, there = _name(loans), await parts.databases()
    if name in there:
        return name
    for old in there:
        if old.startswith(f"reads_{loans}_"):
            await parts.drop(old)
    making, started = f"reads_{loans}_making", time.perf_counter()
    await parts.make_database(making)
    connection = await asyncpg.connect(parts.dsn(making), server_settings={"synchronous_commit": "off"})
    try:
        await _fill(connection, loans)
    finally:
        await connection.close()
    await parts.execute(f"ALTER DATABASE {making} RENAME TO {name}")
    print(f"  prepared {loans:,} loans to read in {time.perf_counter() - started:.0f} s", flush=True)
    return name


async def _fill(connection: asyncpg.Connection, loans: int) -> None:
    await connection.execute("SELECT set_config('bench.loans', $1, false)", str(loans))
    await connection.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '1GB'")
    indexes = await connection.fetch(_INDEXES)
    for index in indexes:  # made anew over the whole ledger: that is much faster
        if index["constraint_name"]:
            await connection.execute(f"ALTER TABLE core.event DROP CONSTRAINT {index['constraint_name']}")
        else:
            await connection.execute(f"DROP INDEX {index['name']}")
    for file in _FILES:
        await connection.execute((_FOLDER / file).read_text(encoding="utf-8"))
    for index in indexes:
        if index["constraint_name"]:
            await connection.execute(
                f"ALTER TABLE core.event ADD CONSTRAINT {index['constraint_name']} {index['key']}"
            )
        else:
            await connection.execute(index["definition"].replace(" ON ONLY ", " ON "))  # in every part
    await connection.execute("VACUUM (FREEZE, ANALYZE)")


def _name(loans: int) -> str:
    content = hashlib.sha256()
    for path in (*sorted(_MIGRATIONS.glob("*.sql")), *(_FOLDER / file for file in _FILES), Path(__file__)):
        content.update(path.read_bytes())
    return f"reads_{loans}_{content.hexdigest()[:12]}"
