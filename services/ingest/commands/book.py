"""`loanpulse book`: make a book with its currencies, products and branches, or list the books."""

from __future__ import annotations

import argparse
import asyncio
import csv
import getpass
import json
import os
import tomllib
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.commands import refold
from ingest.commands.books import (
    BookError,
    Branch,
    NewBook,
    Product,
    StoredBook,
    list_books,
    save_book,
    select_settings,
)
from loanbook.domain.errors import RejectedEventError
from loanbook.domain.settings import ProductSettings
from loanbook.postgres.pool import connect
from loanbook.wire_rules import exponent_of_code, name_fault

ROLE = "ingest_writer"
_COLUMNS = ("book", "currencies", "opened_on", "business_on", "timezone", "closes_at", "replaying", "loans")


def main(arguments: list[str]) -> int:
    """Run `book add` or `book list`."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not chosen.database_url:
        parser.error("set DATABASE_URL or give --database-url")
    if chosen.verb == "list":
        print(_table(asyncio.run(_list(chosen.database_url))))
        return 0
    book, changed = asyncio.run(_add(chosen.database_url, _new_book(chosen)))
    print(f"book {book.book}: opened on {book.opened_on}, business day {book.business_on}")
    if not changed:
        return 0
    print(f"settings changed: {', '.join(changed)}; the book's loans are folded again")
    return refold.main(["--database-url", chosen.database_url, "--book", book.book, "--restart"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loanpulse book", description=__doc__)
    parser.add_argument("--database-url", default=os.environ.get("DATABASE_URL"))
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="every book with its running business day")
    add = verbs.add_parser("add", help="make a book, or bring an existing one to what is given here")
    add.add_argument("name")
    add.add_argument(
        "--currency", required=True, help="ISO 4217 codes, comma-separated; the first is the default"
    )
    add.add_argument("--opens-on", required=True, type=date.fromisoformat, help="its first business day")
    add.add_argument("--timezone", default="UTC", help="such as Africa/Lagos")
    add.add_argument("--cut-off", default="00:00", type=time.fromisoformat, help="when a day closes, HH:MM")
    add.add_argument(
        "--close-by-clock", action="store_true", help="end its days at the cut-off, without day.closed events"
    )
    add.add_argument("--product", action="append", default=[], metavar="NAME")
    add.add_argument(
        "--settings",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="TOML or JSON settings of the product at the same place",
    )
    add.add_argument("--by", default=getpass.getuser(), help="who changes settings, for the audit")
    add.add_argument("--branches", type=Path, metavar="FILE", help="CSV: branch, name, region, manager")
    return parser


async def _add(database_url: str, new: NewBook) -> tuple[StoredBook, list[str]]:
    """The book, and which of its products have other settings than before."""
    connection = await connect(database_url, ROLE)
    try:
        before = await select_settings(connection, new.book)
        book = await save_book(connection, new)
        after = await select_settings(connection, new.book)
        return book, sorted(name for name in before if after[name] != before[name])
    finally:
        await connection.close()


async def _list(database_url: str) -> list[dict[str, Any]]:
    connection = await connect(database_url, ROLE)
    try:
        return await list_books(connection)
    finally:
        await connection.close()


def _new_book(chosen: argparse.Namespace) -> NewBook:
    if fault := name_fault(chosen.name):
        raise BookError(f"the name of a book {fault}")
    try:
        ZoneInfo(chosen.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BookError(f"no time zone {chosen.timezone!r}") from error
    if len(chosen.settings) > len(chosen.product):
        raise BookError("--settings needs the --product it belongs to")
    return NewBook(
        book=chosen.name,
        currencies=_currencies(chosen.currency),
        opens_on=chosen.opens_on,
        timezone=chosen.timezone,
        closes_at=chosen.cut_off,
        closes_by_clock=chosen.close_by_clock,
        products=_products(chosen.product, chosen.settings),
        branches=_branches(chosen.branches) if chosen.branches else (),
        changed_by=chosen.by,
    )


def _currencies(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in text.split(",") if code.strip())
    if not codes:
        raise BookError("a book needs a currency")
    for code in codes:
        try:
            exponent_of_code(code)
        except RejectedEventError as error:
            raise BookError(f"currency {error.reason}") from error
    return codes


def _products(names: list[str], files: list[Path]) -> tuple[Product, ...]:
    settings = [_settings(file) for file in files] + [{}] * (len(names) - len(files))
    return tuple(Product(product=name, settings=data) for name, data in zip(names, settings, strict=True))


def _settings(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        data: dict[str, Any] = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise BookError(f"{file}: {error}") from error
    ProductSettings.from_json(data)  # names the setting that is wrong
    return data


def _branches(file: Path) -> tuple[Branch, ...]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BookError(f"{file}: {error}") from error
    branches = []
    for number, row in enumerate(rows, start=2):
        if not row.get("branch"):
            raise BookError(f"{file}, line {number}: column branch is empty")
        branches.append(
            Branch(
                branch=row["branch"],
                name=row.get("name") or None,
                region=row.get("region") or None,
                manager=row.get("manager") or None,
            )
        )
    return tuple(branches)


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [list(_COLUMNS)] + [[str(row[column]) for column in _COLUMNS] for row in rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
