"""The schema: migrations apply once, every query of every service fits it, slices are in every key."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from loanbook.postgres.migrate import latest_schema, migrate, migrations

pytestmark = pytest.mark.integration
SERVICES = Path(__file__).parent.parent.parent / "services"
STATEMENTS = sorted(SERVICES.glob("*/**/sql/**/*.sql"))
# Several statements: run, not prepared.
STAGES = [path for path in STATEMENTS if path.stem.startswith("make_stage")]


async def test_migrations_apply_once(database: str) -> None:
    assert await migrate(database) == []
    assert latest_schema() == len(migrations())


async def test_every_statement_prepares_on_the_schema(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        for path in STAGES:
            await connection.execute(path.read_text(encoding="utf-8"))
        faults = []
        for path in [path for path in STATEMENTS if path not in STAGES]:
            try:
                await connection.prepare(path.read_text(encoding="utf-8"))
            except asyncpg.PostgresError as error:
                faults.append(f"{path.relative_to(SERVICES)}: {error}")
        assert faults == []
        assert len(STATEMENTS) > 40
    finally:
        await connection.close()


async def test_slice_is_in_every_key_of_a_partitioned_table(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT c.oid::regclass::text AS table, i.indexrelid::regclass::text AS index,"
            " bool_or(a.attname = 'slice') AS has_slice"
            " FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
            " WHERE c.relkind = 'p' AND c.relnamespace IN ('core'::regnamespace, 'risk'::regnamespace)"
            " GROUP BY 1, 2"
        )
        assert rows
        assert [row["index"] for row in rows if not row["has_slice"]] == []
    finally:
        await connection.close()


async def test_the_ledger_is_insert_only_even_for_its_writer(database: str) -> None:
    connection = await asyncpg.connect(database, server_settings={"role": "ingest_writer"})
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM core.event")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE core.event SET amount_minor = 0")
    finally:
        await connection.close()
