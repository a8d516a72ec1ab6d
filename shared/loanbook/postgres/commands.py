"""`loanpulse migrate`: bring the database to the newest schema."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from loanbook.postgres.migrate import latest_schema, migrate
from loanbook.postgres.pool import connect


def main(arguments: list[str]) -> int:
    """Apply what is missing; --roles FILE first creates the roles."""
    parser = argparse.ArgumentParser(prog="loanpulse migrate", description=__doc__)
    parser.add_argument("--database-url", default=os.environ.get("DATABASE_URL"))
    parser.add_argument(
        "--roles", type=Path, help="SQL file that creates the roles (infra/postgres/roles.sql)"
    )
    chosen = parser.parse_args(arguments)
    if not chosen.database_url:
        parser.error("set DATABASE_URL or give --database-url")
    roles = chosen.roles.read_text(encoding="utf-8") if chosen.roles else None
    applied = asyncio.run(_migrate(chosen.database_url, roles))
    print(f"schema {latest_schema()}: " + (", ".join(applied) or "nothing to do"))
    return 0


async def _migrate(dsn: str, roles: str | None) -> list[str]:
    if roles is not None:
        connection = await connect(dsn)
        try:
            await connection.execute(roles)
        finally:
            await connection.close()
    return await migrate(dsn)
