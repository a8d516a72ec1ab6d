"""Books as the database keeps them: made, read and marked by the commands of this service."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from ingest.transaction import BOOK_LOCK
from loanbook.domain.errors import LoanbookError
from loanbook.domain.money import exponent_of
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection, Pool

_HERE = "ingest.commands"
SETTINGS_CHANGED = "product settings changed"  # in core.audit, with the settings before and after


class BookError(LoanbookError):
    """A book cannot be made or changed as asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch of a book with its place."""

    branch: str
    name: str | None = None
    region: str | None = None
    manager: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product of a book with its settings as JSON-ready values."""

    product: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBook:
    """Everything a book is made of; the first currency is its default."""

    book: str
    currencies: tuple[str, ...]
    opens_on: date
    timezone: str = "UTC"
    closes_at: time = time(0)
    closes_by_clock: bool = False
    products: tuple[Product, ...] = ()
    branches: tuple[Branch, ...] = ()
    changed_by: str = "loanpulse"  # who changes settings, for the audit


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBook:
    """A book as it stands."""

    book_key: int
    book: str
    default_currency: str
    opened_on: date
    business_on: date
    replaying: bool


async def save_book(connection: Connection, new: NewBook) -> StoredBook:
    """Make a book or bring it to what is asked; raises BookError where its first day would move."""
    async with connection.transaction():
        stored = await select_book(connection, new.book)
        if stored is not None and stored.opened_on != new.opens_on:
            msg = f"book {new.book!r} opened on {stored.opened_on}; that day cannot become {new.opens_on}"
            raise BookError(msg)
        row = await connection.fetchrow(
            load_sql(_HERE, "save_book"),
            new.book,
            new.timezone,
            new.closes_at,
            new.currencies[0],
            new.opens_on,
            new.closes_by_clock,
        )
        codes = list(new.currencies)
        exponents = [exponent_of(code) for code in codes]
        await connection.execute(load_sql(_HERE, "insert_currencies"), codes, exponents)
        await connection.execute(load_sql(_HERE, "insert_book_currencies"), row["book_key"], codes)
        await _save_products(connection, row["book_key"], new)
        await _save_branches(connection, row["book_key"], new.branches)
        saved = await select_book(connection, new.book)
    if saved is None:
        msg = f"book {new.book!r} is not there after it was made"
        raise BookError(msg)
    return saved


async def select_book(connection: Connection | Pool, book: str) -> StoredBook | None:
    """The book of this name, or None."""
    row = await connection.fetchrow(load_sql(_HERE, "select_book"), book)
    if row is None:
        return None
    return StoredBook(**{name: row[name] for name in StoredBook.__dataclass_fields__})


async def set_replaying(connection: Connection | Pool, book: StoredBook, *, replaying: bool) -> None:
    """Say whether a book's history is loading; while it is, alerts open in silence."""
    await connection.execute(load_sql(_HERE, "set_replaying"), book.book_key, replaying)


async def select_synthetic_sources(connection: Connection | Pool) -> list[str]:
    """Sources of made-up books that have come in."""
    return [row["uri"] for row in await connection.fetch(load_sql(_HERE, "select_synthetic_sources"))]


async def list_books(connection: Connection | Pool) -> list[dict[str, Any]]:
    """Every book with its currencies and its number of loans."""
    return [dict(row) for row in await connection.fetch(load_sql(_HERE, "list_books"))]


async def select_settings(connection: Connection | Pool, book: str) -> dict[str, dict[str, Any]]:
    """The settings of a book's products, by name."""
    rows = await connection.fetch(load_sql(_HERE, "select_products"), book)
    return {row["product"]: json.loads(row["settings"]) for row in rows}


async def _save_products(connection: Connection, book_key: int, new: NewBook) -> None:
    """Make products; where settings change, do it while no batch runs, and note what they were."""
    given = {product.product: product.settings for product in new.products}
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", BOOK_LOCK, book_key)
    before = await select_settings(connection, new.book)
    for name, settings in given.items():
        await connection.execute(load_sql(_HERE, "save_product"), book_key, name, json.dumps(settings))
    for name in sorted(given.keys() & before.keys()):
        if given[name] != before[name]:
            details = {"book": new.book, "product": name, "before": before[name], "after": given[name]}
            sql = load_sql(_HERE, "insert_audit")
            await connection.execute(sql, new.changed_by, SETTINGS_CHANGED, json.dumps(details))
            await connection.execute(load_sql(_HERE, "raise_settings_version"), book_key)


async def _save_branches(connection: Connection, book_key: int, branches: Sequence[Branch]) -> None:
    columns = [[getattr(branch, name) for branch in branches] for name in Branch.__dataclass_fields__]
    await connection.execute(load_sql(_HERE, "save_book_branches"), book_key, *columns)
