"""Fills a database with the book that the boards are tried on, and moves it as a stream would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from loanbook.postgres.load_sql import load_sql
from tests.parts import Database, fresh_database

CAUGHT_UP = "UPDATE core.stream_position SET caught_up_at = now()"
BOOK_SQL = Path(__file__).with_name("book.sql")


async def fill_book(dsn: str) -> None:
    """The whole book of book.sql, as the database's owner, with the sums that a refresh makes."""
    await tell(dsn, BOOK_SQL.read_text(encoding="utf-8"))
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(load_sql("analytics_api", "fill_reconciliation"))
        await connection.execute(load_sql("analytics_api", "fill_stale"), 35)
        await connection.execute(
            load_sql("analytics_api", "fill_stages"), (100, 1000, 2500, 5000, 10000), 90, 30
        )
    finally:
        await connection.close()


async def tell(dsn: str, sql: str) -> None:
    """Statements as the owner, for tests that change what a board shows."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def book(postgres: Database, database_template: str) -> AsyncIterator[str]:
    """The DSN of a database filled with the book; a module's own."""
    async with fresh_database(postgres, database_template) as dsn:
        await fill_book(dsn)
        yield dsn
