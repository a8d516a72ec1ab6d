"""`loanpulse verify`: recompute all that the tables hold from the ledger, and name each difference."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from ingest.commands.books import BookError
from ingest.commands.database import add_database, database_url
from ingest.recompute.check import Extent, Findings, verify_book, verify_streams
from ingest.recompute.holding import Difference, snapshot
from ingest.store import ROLE
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection, connect

_SHOWN = 50
_SAMPLE = 1_000
_TOTALS = ("applied", "unapplied", "duplicates", "dead", "other")


def main(arguments: list[str]) -> int:
    """Verify one book or all; exit code 1 when anything differs."""
    parser = argparse.ArgumentParser(prog="loanpulse verify", description=__doc__)
    add_database(parser)
    parser.add_argument("--book", help="this book alone")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--sample", type=int, default=_SAMPLE, metavar="N", help="about so many loans a book")
    extent.add_argument("--all", action="store_true", help="every loan, every close, the cash of all days")
    parser.add_argument("--seed", type=int, help="of the sample; by chance when not given")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    chosen = parser.parse_args(arguments)
    seed = random.SystemRandom().getrandbits(32) if chosen.seed is None else chosen.seed
    place = random.Random(seed).randrange(-(2**63), 2**63)  # noqa: S311 - a draw that can be repeated
    extent_of_all = Extent(sample=None if chosen.all else max(1, chosen.sample), place=place)
    found = asyncio.run(_verify(database_url(parser, chosen), chosen.book, extent_of_all))
    print(_as_json(found, seed) if chosen.json else _as_text(found, extent_of_all, seed))
    return 1 if any(findings.differences for findings in found) else 0


async def verify(connection: Connection, book: str | None, extent: Extent) -> list[Findings]:
    """Verify a book or all, and the streams, in one snapshot; raises BookError for an unknown book."""
    async with snapshot(connection) as unit:
        if book is not None and book not in unit.books:
            raise BookError(f"no book {book!r}")
        chosen = [each for name, each in sorted(unit.books.items()) if book in {None, name}]
        return [*[await verify_book(unit, each, extent) for each in chosen], await verify_streams(unit)]


async def insert_verification(
    connection: Connection, found: Sequence[Findings], *, started_at: datetime, is_complete: bool
) -> int:
    """Write the outcome of a run; gives its number."""
    async with connection.transaction():
        run: int = await connection.fetchval("SELECT nextval('core.verification_run')")
        for findings in found:
            await connection.execute(
                load_sql("ingest.commands", "insert_verification"),
                run,
                findings.book.book_key if findings.book else None,
                started_at,
                is_complete,
                findings.loans,
                findings.differences,
                json.dumps(_details(findings, _SHOWN), default=_plain),
            )
    return run


async def _verify(dsn: str, book: str | None, extent: Extent) -> list[Findings]:
    connection = await connect(dsn, ROLE)
    try:
        started_at = datetime.now(UTC)
        found = await verify(connection, book, extent)
        await insert_verification(connection, found, started_at=started_at, is_complete=extent.sample is None)
        return found
    finally:
        await connection.close()


def _as_text(found: Sequence[Findings], extent: Extent, seed: int) -> str:
    how = "every loan" if extent.sample is None else f"a sample drawn with --seed {seed}"
    lines = [f"verified {how}"]
    for findings in found:
        lines += [str(difference) for difference in findings.kept[:_SHOWN]]
        if findings.differences > _SHOWN:
            lines.append(f"... and {findings.differences - _SHOWN:,} more differences")
        lines.append(_summary(findings))
    return "\n".join(lines)


def _summary(findings: Findings) -> str:
    if findings.book is None:
        parts = " + ".join(f"{name} {findings.totals[name]:,}" for name in _TOTALS)
        return f"streams: received {findings.totals['received']:,} = {parts}; {_count(findings)}"
    book = findings.book
    words = f"book {book.book} on {book.business_on}: {findings.loans:,} loans; {_count(findings)}"
    for name in ("quarantined", "restating", "rolling"):
        if number := getattr(findings, name):
            words += f"; {number:,} {name}"
    return words


def _count(findings: Findings) -> str:
    if not findings.differences:
        return "no difference"
    tables = ", ".join(f"{table} {count:,}" for table, count in findings.by_table.most_common())
    return f"{findings.differences:,} differences ({tables})"


def _as_json(found: Sequence[Findings], seed: int) -> str:
    results = [
        {"book": f.book.book if f.book else None, "loans": f.loans, "differences": f.differences}
        | _details(f, len(f.kept))
        for f in found
    ]
    return json.dumps({"seed": seed, "results": results}, default=_plain)


def _details(findings: Findings, shown: int) -> dict[str, Any]:
    names = ("quarantined", "restating", "rolling")
    details: dict[str, Any] = {name: getattr(findings, name) for name in names}
    details |= {"by_table": findings.by_table, "totals": findings.totals}
    if findings.book is not None:
        details["business_on"] = findings.book.business_on
    return details | {"found": [_named(difference) for difference in findings.kept[:shown]]}


def _named(difference: Difference) -> dict[str, Any]:
    return difference._asdict()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
