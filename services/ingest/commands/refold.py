"""`loanpulse refold`: fold every loan again from the ledger, in place, while events flow.

A run goes on where it was stopped. What differs is written again and its past told anew; the roll-ups
are settled at the end. Give --rollups to settle them without refolding, --history to tell every past anew.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence

from ingest.commands.books import BookError
from ingest.commands.database import add_database, database_url
from ingest.recompute.lane import RefoldPlan
from ingest.recompute.run import RefoldOutcome, alone, refold_book
from ingest.recompute.settle import settle_rollups
from ingest.store import PostgresLoanStore
from loanbook.collecting import collect_seldom
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Pool

_CHUNK = 500
_PROCESSES = min(4, os.cpu_count() or 1)


def main(arguments: list[str]) -> int:
    """Refold one book or all; with --check exit code 1 when anything differs."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.check and chosen.history:
        parser.error("--check writes nothing, and --history does")
    collect_seldom()
    return asyncio.run(_run(database_url(parser, chosen), chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loanpulse refold", description=__doc__)
    add_database(parser)
    parser.add_argument("--book", help="this book alone")
    parser.add_argument("--check", action="store_true", help="count what differs, write nothing")
    parser.add_argument("--chunk", type=int, default=_CHUNK, metavar="LOANS", help="in one transaction")
    parser.add_argument(
        "--processes", type=int, default=_PROCESSES, metavar="N", help="at most, side by side"
    )
    parser.add_argument("--rollups", action="store_true", help="only settle the roll-ups")
    parser.add_argument("--history", action="store_true", help="have the past of every loan told anew")
    parser.add_argument("--restart", action="store_true", help="from the first loan, whatever was begun")
    return parser


async def _run(dsn: str, chosen: argparse.Namespace) -> int:
    store = await PostgresLoanStore.open(dsn, "")
    try:
        code = 0
        for book in await _chosen_books(store.pool, chosen.book):
            code |= await _refold(dsn, store.pool, book, chosen)
        return code
    finally:
        await store.close()


async def _chosen_books(pool: Pool, name: str | None) -> Sequence[tuple[str, int]]:
    rows = await pool.fetch(load_sql("ingest", "select_books"))
    keys: Mapping[str, int] = {row["book"]: row["book_key"] for row in rows}
    if name is not None and name not in keys:
        raise BookError(f"no book {name!r}")
    return [(book, key) for book, key in sorted(keys.items()) if name in {None, book}]


async def _refold(dsn: str, pool: Pool, book: tuple[str, int], chosen: argparse.Namespace) -> int:
    started = time.monotonic()
    if chosen.rollups:
        async with alone(pool, *book):
            cells = await settle_rollups(pool, book[0], is_check=chosen.check)
        print(f"book {book[0]}: {_cells(cells, is_check=chosen.check)}")
        return int(chosen.check and cells > 0)
    plan = RefoldPlan(
        book=book[0],
        book_key=book[1],
        chunk=max(1, chosen.chunk),
        processes=max(1, chosen.processes),
        is_check=chosen.check,
        retell=chosen.history,
        restart=chosen.restart,
    )
    outcome = await refold_book(dsn, pool, plan)
    print(f"{_summary(plan, outcome)}; {time.monotonic() - started:.1f} s")
    if outcome.left_behind and not plan.is_check:
        print(
            f"{outcome.left_behind:,} loans of book {plan.book} were folded by other code meanwhile: "
            "end the workers of the other release, then refold again",
            file=sys.stderr,
        )
        return 1
    wrong = outcome.refolded.differing + (outcome.rollup_cells or 0)
    return int(plan.is_check and wrong > 0)


def _summary(plan: RefoldPlan, outcome: RefoldOutcome) -> str:
    done = outcome.refolded
    did, what = ("checked", "differ") if plan.is_check else ("refolded", "differed and were written again")
    words = f"book {plan.book}, run {outcome.run_id}: {done.loans:,} loans {did}, {done.differing:,} {what}"
    if done.outdated:
        words += f", {done.outdated:,} folded by other code before"
    if outcome.rollup_cells is not None:
        words += f"; {_cells(outcome.rollup_cells, is_check=plan.is_check)}"
    return words


def _cells(cells: int, *, is_check: bool) -> str:
    return f"{cells:,} cells of the roll-ups {'are wrong' if is_check else 'were put right'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
