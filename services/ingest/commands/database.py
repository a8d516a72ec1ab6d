"""What the operators' commands share: their database, tables for people, the audit of what they do."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection


def add_database(parser: argparse.ArgumentParser) -> None:
    """Let a command be told its database; DATABASE_URL is the default."""
    parser.add_argument("--database-url", default=os.environ.get("DATABASE_URL"))


def database_url(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> str:
    """The database to speak to; ends the program when none is given."""
    if not chosen.database_url:
        parser.error("set DATABASE_URL or give --database-url")
    url: str = chosen.database_url
    return url


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows under their column names, padded; what is null is a dash."""
    cells = [["-" if row[column] is None else str(row[column]) for column in columns] for row in rows]
    lines = [list(columns), *cells]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


async def insert_audit(connection: Connection, done_by: str, what: str, details: Mapping[str, Any]) -> None:
    """Note who did what, in the transaction that does it."""
    sql = load_sql("ingest.commands", "insert_audit")
    await connection.execute(sql, done_by, what, json.dumps(details, default=str))
