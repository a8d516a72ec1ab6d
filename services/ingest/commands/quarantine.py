"""`loanpulse quarantine`: loans whose fold failed, and the way back for them once the fault is mended.

Their events are kept and go on being kept; a fixed release folds such a loan with its next event, `retry`
folds all of them now.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from ingest.commands.database import add_database, database_url, insert_audit, table
from ingest.recompute.holding import FIRST_KEY
from ingest.recompute.refold import Refolded, refold_loans
from ingest.recompute.settle import locked_unit, patiently
from ingest.records import LoanRef
from ingest.store import PostgresLoanStore
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Pool

_COLUMNS = ("book", "loan_id", "events", "changed_at", "reason")
_CHUNK = 200


def main(arguments: list[str]) -> int:
    """List the loans, or fold them again; exit code 1 while some stay in quarantine after a retry."""
    parser = argparse.ArgumentParser(prog="loanpulse quarantine", description=__doc__)
    add_database(parser)
    parser.add_argument("--book", help="this book alone")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="loans, why their fold failed, how many events wait").add_argument(
        "--json", action="store_true"
    )
    verbs.add_parser("retry", help="fold them again").add_argument(
        "--by", required=True, metavar="NAME", help="who does it, for the audit"
    )
    chosen = parser.parse_args(arguments)
    run = {"list": _list, "retry": _retry}[chosen.verb]
    return asyncio.run(_opened(database_url(parser, chosen), run, chosen))


async def list_quarantined(pool: Pool, book: str | None) -> list[dict[str, Any]]:
    """Loans whose fold failed, with the reason."""
    rows = await pool.fetch(load_sql("ingest.commands", "list_quarantined"), book)
    return [dict(row) for row in rows]


async def retry_quarantined(pool: Pool, book: str, book_key: int) -> Refolded:
    """Fold the loans of a book in quarantine again; what folds now leaves it."""
    done = Refolded()
    place: LoanRef | None = LoanRef(0, FIRST_KEY)
    while place is not None:
        after = place
        place, part = await patiently(lambda after=after: _retry_chunk(pool, book, book_key, after))  # type: ignore[misc]
        done += part
    return done


async def _retry_chunk(
    pool: Pool, book: str, book_key: int, after: LoanRef
) -> tuple[LoanRef | None, Refolded]:
    async with locked_unit(pool) as unit:
        sql = load_sql("ingest.commands", "lock_quarantined")
        rows = await unit.connection.fetch(sql, book_key, *after, _CHUNK)
        refs = [LoanRef(*row) for row in rows]
        if not refs:
            return None, Refolded()
        await unit.directory.load(unit.connection)
        return refs[-1], await refold_loans(unit, unit.books[book], refs)


async def _opened(dsn: str, run: Any, chosen: argparse.Namespace) -> int:  # noqa: ANN401
    store = await PostgresLoanStore.open(dsn, "")
    try:
        code: int = await run(store.pool, chosen)
        return code
    finally:
        await store.close()


async def _list(pool: Pool, chosen: argparse.Namespace) -> int:
    rows = await list_quarantined(pool, chosen.book)
    print(json.dumps(rows, default=str) if chosen.json else table(_COLUMNS, rows))
    return 0


async def _retry(pool: Pool, chosen: argparse.Namespace) -> int:
    before = await list_quarantined(pool, chosen.book)
    books = await pool.fetch(load_sql("ingest", "select_books"))
    for book, key in [(row["book"], row["book_key"]) for row in books]:
        if book in {row["book"] for row in before}:
            await retry_quarantined(pool, book, key)
    left = await list_quarantined(pool, chosen.book)
    healed = {row["loan_key"] for row in before} - {row["loan_key"] for row in left}
    loans = [row["loan_id"] for row in before if row["loan_key"] in healed]
    async with pool.acquire() as connection:
        await insert_audit(connection, chosen.by, "quarantine_retried", {"loans": loans, "left": len(left)})
    print(f"{len(loans)} loans fold again, {len(left)} stay in quarantine")
    if left:
        print(table(_COLUMNS, left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
