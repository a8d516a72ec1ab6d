"""Runs the numbered migrations once each, forward only, under an advisory lock."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

import asyncpg

from loanbook.domain.errors import FatalError
from loanbook.postgres.pool import connect

_LOCK = 7_205_001  # one migration runner at a time in a database
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_LEDGER = """
CREATE TABLE IF NOT EXISTS public.loanpulse_migration (
    number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now());
GRANT SELECT ON public.loanpulse_migration TO PUBLIC"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered file of SQL."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Of the text, so that a changed file is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations in order; raises FatalError for a name that does not fit or a gap."""
    found = []
    for file in resources.files("loanbook.postgres").joinpath("migrations").iterdir():
        match = _NAME.match(file.name)
        if match is None:
            msg = f"migration file name {file.name!r} is not NNNN_what.sql"
            raise FatalError(msg)
        found.append(Migration(number=int(match[1]), name=file.name, sql=file.read_text("utf-8")))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        msg = "migration numbers have a gap or a double"
        raise FatalError(msg)
    return found


def latest_schema() -> int:
    """Number of the newest migration: the schema this code was written for."""
    return migrations()[-1].number


async def migrate(dsn: str) -> list[str]:
    """Bring the database to the newest schema; returns the names of what was applied.

    The roles of infra/postgres/roles.sql must exist. Raises FatalError when an applied file was changed.
    """
    connection = await connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_LEDGER)
        rows = await connection.fetch("SELECT number, checksum FROM public.loanpulse_migration")
        applied = {row["number"]: row["checksum"] for row in rows}
        return [await _apply(connection, m) for m in migrations() if not _is_applied(m, applied)]
    finally:
        await connection.close()


async def require_schema(connection: asyncpg.Connection | asyncpg.Pool) -> None:
    """Refuse to run on a schema older than this code; raises FatalError."""
    number = await connection.fetchval("SELECT max(number) FROM public.loanpulse_migration")
    if (number or 0) < latest_schema():
        needed = latest_schema()
        msg = f"the database is at schema {number or 0}, this code needs {needed}: run `loanpulse migrate`"
        raise FatalError(msg)


def _is_applied(migration: Migration, applied: dict[int, str]) -> bool:
    checksum = applied.get(migration.number)
    if checksum is not None and checksum != migration.checksum:
        msg = f"{migration.name} was changed after it had been applied"
        raise FatalError(msg)
    return checksum is not None


async def _apply(connection: asyncpg.Connection, migration: Migration) -> str:
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '10s'")
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO public.loanpulse_migration (number, name, checksum) VALUES ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )
    return migration.name
