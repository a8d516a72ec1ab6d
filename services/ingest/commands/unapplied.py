"""`loanpulse unapplied`: events that are kept and do not count, with the amount that waits and why."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from ingest.commands.database import add_database, database_url, table
from ingest.store import ROLE
from loanbook.domain.loan import UNAPPLIED_REASONS
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import connect

_LISTED = 200
_EVENTS = ("book", "loan_id", "event_id", "type", "reason", "amount", "currency", "effective_on", "known_on")
_SUMS = ("book", "reason", "events", "amount", "currency")


def main(arguments: list[str]) -> int:
    """List the events, oldest first, and their sums by reason."""
    parser = argparse.ArgumentParser(prog="loanpulse unapplied", description=__doc__)
    add_database(parser)
    parser.add_argument("verb", choices=["list"])
    parser.add_argument("--book", help="this book alone")
    parser.add_argument("--reason", choices=sorted(UNAPPLIED_REASONS))
    parser.add_argument("--limit", type=int, default=_LISTED)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    events, sums = asyncio.run(_read(database_url(parser, chosen), chosen))
    if chosen.json:
        print(json.dumps({"events": events, "sums": sums}, default=str))
    else:
        print(f"{table(_EVENTS, events)}\n\n{table(_SUMS, sums)}")
    return 0


async def _read(dsn: str, chosen: argparse.Namespace) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    connection = await connect(dsn, ROLE)
    try:
        wanted = (chosen.book, chosen.reason)
        events = await connection.fetch(load_sql("ingest.commands", "list_unapplied"), *wanted, chosen.limit)
        sums = await connection.fetch(load_sql("ingest.commands", "sum_unapplied"), *wanted)
        return [dict(row) for row in events], [dict(row) for row in sums]
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
